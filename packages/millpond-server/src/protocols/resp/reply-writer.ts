/** Writes replies as bytes of RESP2 or RESP3. */
import { formatDouble } from '../../engine/numbers.ts'
import type { Reply } from '../../engine/reply.ts'

const OK = Buffer.from('+OK\r\n')
const NIL_2 = Buffer.from('$-1\r\n')
const NIL_ARRAY_2 = Buffer.from('*-1\r\n')
const NIL_3 = Buffer.from('_\r\n')
/** Below this a loop is faster than a call. */
const LOOP_BYTES = 48
/** A value from here on has memory of its own, so that what stands before it need not be moved. */
const OWN_BYTES = 64 * 1024

/**
 * What is written lies in pieces: one that is being filled, and before it those that were full, or long values. So nothing
 * is copied twice, however long a reply becomes.
 */
export class ReplyWriter implements Reply {
  protocol: 2 | 3 = 2
  /** Complete pieces, oldest first. */
  pieces: Buffer[] = []
  /** Bytes in `pieces`. */
  piecesLength = 0
  #bytes: Buffer
  #at = 0
  readonly #pieceBytes: number

  /** @param pieceBytes how long a piece is */
  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes
    this.#bytes = Buffer.allocUnsafeSlow(pieceBytes)
  }

  /** Bytes that were written and not yet taken. */
  get length(): number {
    return this.piecesLength + this.#at
  }

  /** The piece that is being filled, as far as it is. Its memory is used again by what is written after `reuse`. */
  get last(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  /** Begins anew, in the same memory: what was in it has been sent. */
  reuse(): void {
    this.#at = 0
    if (this.piecesLength > 0) {
      this.pieces = []
      this.piecesLength = 0
    }
  }

  /** Begins anew in other memory: what was in the old is still being sent. */
  renew(): void {
    this.#bytes = Buffer.allocUnsafeSlow(this.#pieceBytes)
    this.reuse()
  }

  /** Everything that was written, as pieces that are the taker's. */
  take(): Buffer[] {
    const { pieces } = this
    if (this.#at > 0) pieces.push(Buffer.from(this.last))
    this.pieces = []
    this.piecesLength = 0
    this.#at = 0
    return pieces
  }

  /** Forgets what was written after so many bytes. Only within the last piece. */
  truncate(length: number): void {
    this.#at = Math.max(0, length - this.piecesLength)
  }

  /** Copies what another one has written. */
  append(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.#raw(piece)
  }

  ok(): void {
    this.#raw(OK)
  }

  simple(text: string): void {
    this.#text(43, text)
  }

  error(text: string): void {
    this.#text(45, /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, ' ') : text)
  }

  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 2 ** 31) this.#head(58, value)
    else this.#text(58, String(value))
  }

  bulk(text: string): void {
    const { length } = text
    this.#head(36, length)
    this.#reserve(length + 2)
    if (length < 24) for (let at = 0; at < length; at++) this.#bytes[this.#at++] = text.charCodeAt(at)
    else this.#at += this.#bytes.write(text, this.#at, 'latin1')
    this.#end()
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#head(36, length)
    if (length >= OWN_BYTES) {
      this.#own(bytes, start, end)
      this.#reserve(2)
    } else {
      this.#reserve(length + 2)
      const out = this.#bytes
      const at = this.#at
      if (length > LOOP_BYTES) out.set(bytes.subarray(start, end), at)
      else for (let place = 0; place < length; place++) out[at + place] = bytes[start + place]!
      this.#at = at + length
    }
    this.#end()
  }

  nil(): void {
    this.#raw(this.protocol === 2 ? NIL_2 : NIL_3)
  }

  nilArray(): void {
    this.#raw(this.protocol === 2 ? NIL_ARRAY_2 : NIL_3)
  }

  array(length: number): void {
    this.#head(42, length)
  }

  map(pairs: number): void {
    if (this.protocol === 2) this.#head(42, pairs * 2)
    else this.#head(37, pairs)
  }

  set(length: number): void {
    this.#head(this.protocol === 2 ? 42 : 126, length)
  }

  push(length: number): void {
    this.#head(this.protocol === 2 ? 42 : 62, length)
  }

  double(value: number, text: string = formatDouble(value)): void {
    if (this.protocol === 2) this.bulk(text)
    else this.#text(44, text)
  }

  boolean(value: boolean): void {
    if (this.protocol === 2) this.#head(58, value ? 1 : 0)
    else this.#text(35, value ? 't' : 'f')
  }

  bigNumber(digits: string): void {
    if (this.protocol === 2) this.bulk(digits)
    else this.#text(40, digits)
  }

  verbatim(format: string, text: string): void {
    if (this.protocol === 2) {
      this.bulk(text)
      return
    }
    this.#head(61, text.length + 4)
    this.#raw(Buffer.from(`${format}:${text}`, 'latin1'))
    this.#reserve(2)
    this.#end()
  }

  /** A type's byte and a number below 2^53, digit by digit: no string is made. */
  #head(type: number, value: number): void {
    this.#reserve(20)
    const out = this.#bytes
    let at = this.#at
    out[at++] = type
    if (value < 10) out[at++] = 48 + value
    else {
      let digits = 1
      for (let power = 10; power <= value; power *= 10) digits++
      at += digits
      for (let place = at - 1, rest = value; digits > 0; digits--, place--) {
        const higher = rest < 2 ** 31 ? (rest / 10) | 0 : Math.floor(rest / 10)
        out[place] = 48 + rest - higher * 10
        rest = higher
      }
    }
    out[at++] = 13
    out[at++] = 10
    this.#at = at
  }

  #text(type: number, text: string): void {
    this.#reserve(text.length + 3)
    this.#bytes[this.#at++] = type
    this.#at += this.#bytes.write(text, this.#at, 'latin1')
    this.#end()
  }

  #raw(bytes: Buffer): void {
    const { length } = bytes
    this.#reserve(length)
    const at = this.#at
    if (length > LOOP_BYTES) bytes.copy(this.#bytes, at)
    else for (let place = 0; place < length; place++) this.#bytes[at + place] = bytes[place]!
    this.#at = at + length
  }

  /** A long value as a piece of its own. */
  #own(bytes: Uint8Array, start: number, end: number): void {
    this.#close()
    const own = Buffer.allocUnsafeSlow(end - start)
    own.set(bytes.subarray(start, end))
    this.pieces.push(own)
    this.piecesLength += own.length
  }

  #end(): void {
    this.#bytes[this.#at++] = 13
    this.#bytes[this.#at++] = 10
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    this.#close()
    if (bytes > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(bytes)
  }

  /** Ends the piece that is being filled. */
  #close(): void {
    if (this.#at === 0) return
    this.pieces.push(this.#bytes.subarray(0, this.#at))
    this.piecesLength += this.#at
    this.#bytes = Buffer.allocUnsafeSlow(this.#pieceBytes)
    this.#at = 0
  }
}
