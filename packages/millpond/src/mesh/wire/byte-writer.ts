import { ValueError } from '../../core/errors.ts'

/**
 * Writes numbers, texts and bytes one after the other into a buffer of its own, which grows as needed and is used again after
 * `reset`. Little-endian; whole numbers as varints, seven bits a byte.
 */
export class ByteWriter {
  bytes: Buffer
  length = 0
  readonly #bytesMax: number

  /** @param bytesMax more than this throws `ValueError` */
  constructor(bytesMax: number, startBytes = 2048) {
    this.#bytesMax = bytesMax
    this.bytes = Buffer.allocUnsafeSlow(Math.min(bytesMax, startBytes))
  }

  reset(): void {
    this.length = 0
  }

  /** What was written, in place: a copy is needed to keep it. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length)
  }

  /** Makes room for `count` more bytes, and returns where they begin. */
  skip(count: number): number {
    const at = this.length
    const needed = at + count
    if (needed > this.bytes.length) this.#grow(needed)
    this.length = needed
    return at
  }

  byte(value: number): void {
    const at = this.skip(1)
    this.bytes[at] = value
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    let at = this.skip(VARINT_BYTES_MAX)
    const { bytes } = this
    let rest = value
    while (rest > 0x7fff_ffff) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  double(value: number): void {
    const at = this.skip(8)
    this.bytes.writeDoubleLE(value, at)
  }

  raw(bytes: Uint8Array): void {
    const at = this.skip(bytes.length)
    this.bytes.set(bytes, at)
  }

  /** One byte a character: only for texts of characters below 256. */
  latin1(text: string): void {
    const count = text.length
    const at = this.skip(count)
    const { bytes } = this
    // Calling into Node costs more than a short loop.
    if (count > 24) bytes.write(text, at, count, 'latin1')
    else for (let index = 0; index < count; index++) bytes[at + index] = text.charCodeAt(index)
  }

  #grow(needed: number): void {
    if (needed > this.#bytesMax) throw new ValueError(undefined, `it takes more than ${this.#bytesMax} bytes`)
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#bytesMax, Math.max(needed, this.bytes.length * 2)))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
}

/** What `varint` takes at most. */
export const VARINT_BYTES_MAX = 8
