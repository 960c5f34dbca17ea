/** Gathers what is to be sent to a peer: the part that all protocols over bytes have in common. */
import { ByteCopier } from 'millpond/memory'

/** Below this a loop is faster than a call. */
const LOOP_BYTES = 48
/** A value from here on has memory of its own, so that what stands before it need not be moved. */
const OWN_BYTES = 64 * 1024
/** A whole number that a double holds exactly has no more digits. */
const DIGITS_MAX = 16

/**
 * What is written lies in pieces: one that is being filled, and before it those that were full, or long values. So nothing
 * is copied twice, however long an answer becomes.
 */
export class ByteWriter {
  /** Complete pieces, oldest first. */
  pieces: Buffer[] = []
  /** Bytes in `pieces`. */
  piecesLength = 0
  /** The piece that is being filled, and how far it is. */
  protected buffer: Buffer
  protected at = 0
  /** Where in it begins what was not yet taken. */
  #from = 0
  readonly #pieceBytes: number
  readonly #copier = new ByteCopier()

  /** @param pieceBytes how long a piece is */
  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes
    this.buffer = Buffer.allocUnsafeSlow(pieceBytes)
  }

  /** Bytes that were written and not yet taken. */
  get length(): number {
    return this.piecesLength + this.at - this.#from
  }

  /** The piece that is being filled, as far as it is. Its memory is used again by what is written after `reuse`. */
  get last(): Buffer {
    return this.buffer.subarray(this.#from, this.at)
  }

  /** Whether half of the piece that is being filled is written. */
  get isHalfFull(): boolean {
    return this.at * 2 > this.buffer.length
  }

  /** Goes on behind what was written: that has been taken, and stays where it is until `reuse`. */
  next(): void {
    this.#from = this.at
  }

  /** Begins anew, in the same memory: what was in it has been sent. */
  reuse(): void {
    this.at = this.#from = 0
    if (this.piecesLength > 0) {
      this.pieces = []
      this.piecesLength = 0
    }
  }

  /** Begins anew in other memory: what was in the old is still being sent. */
  renew(): void {
    this.buffer = Buffer.allocUnsafeSlow(this.#pieceBytes)
    this.reuse()
  }

  /** Everything that was written, as pieces that are the taker's. */
  take(): Buffer[] {
    const { pieces } = this
    if (this.at > this.#from) pieces.push(Buffer.from(this.last))
    this.forget()
    return pieces
  }

  /** Forgets what was written and not taken. */
  forget(): void {
    this.at = this.#from
    this.pieces = []
    this.piecesLength = 0
  }

  /** Forgets what was written after so many bytes. */
  truncate(length: number): void {
    if (length >= this.piecesLength) {
      this.at = this.#from + length - this.piecesLength
      return
    }
    this.at = this.#from
    while (this.piecesLength > length) {
      const piece = this.pieces.pop()!
      this.piecesLength -= piece.length
      const kept = length - this.piecesLength
      if (kept > 0) this.raw(piece.subarray(0, kept))
    }
  }

  /** Copies what another one has written. */
  append(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.raw(piece)
  }

  /** Copies bytes, in one piece if there are few of them. */
  raw(bytes: Uint8Array): void {
    const { length } = bytes
    this.reserve(length)
    const { buffer, at } = this
    if (length > LOOP_BYTES) buffer.set(bytes, at)
    else for (let place = 0; place < length; place++) buffer[at + place] = bytes[place]!
    this.at = at + length
  }

  /** Copies a stretch of bytes; `more` bytes have room behind it. A long one becomes a piece of its own. */
  protected copy(bytes: Uint8Array, start: number, end: number, more: number): void {
    const length = end - start
    if (length >= OWN_BYTES) {
      this.#own(bytes, start, end)
      this.reserve(more)
      return
    }
    this.reserve(length + more)
    this.#copier.copy(bytes, start, this.buffer, this.at, length)
    this.at += length
  }

  /** Writes a whole number from 0 to 2^53, digit by digit: no string is made. There must be room. */
  protected digits(value: number): void {
    const { buffer } = this
    if (value < 10) {
      buffer[this.at++] = 48 + value
      return
    }
    let digits = 1
    for (let power = 10; power <= value && digits < DIGITS_MAX; power *= 10) digits++
    this.at += digits
    for (let place = this.at - 1, rest = value; digits > 0; digits--, place--) {
      const higher = rest < 2 ** 31 ? (rest / 10) | 0 : Math.floor(rest / 10)
      buffer[place] = 48 + rest - higher * 10
      rest = higher
    }
  }

  /** Sees to it that so many bytes have room in the piece that is being filled. */
  protected reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return
    this.#close()
    if (bytes > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(bytes)
  }

  /** A long value as a piece of its own. */
  #own(bytes: Uint8Array, start: number, end: number): void {
    this.#close()
    const own = Buffer.allocUnsafeSlow(end - start)
    own.set(bytes.subarray(start, end))
    this.pieces.push(own)
    this.piecesLength += own.length
  }

  /** Ends the piece that is being filled. */
  #close(): void {
    if (this.at > this.#from) {
      this.pieces.push(this.last)
      this.piecesLength += this.at - this.#from
    } else if (this.at === 0) return
    this.buffer = Buffer.allocUnsafeSlow(this.#pieceBytes)
    this.at = this.#from = 0
  }
}
