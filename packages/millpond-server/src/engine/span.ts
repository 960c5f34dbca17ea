/** A stretch of bytes where it lies: a key or an argument in a socket's buffer, read without a copy. */

/**
 * Bytes from `start` to `end` of `bytes`. Whoever hands one out may aim it elsewhere once the command is over: what is
 * kept must be taken as `text()` or `copy()`.
 *
 * Text here is a *byte string*: each character stands for one byte (Latin-1), so that any bytes survive, comparing strings
 * compares bytes, and V8 keeps them in one byte a character.
 */
export class Span {
  bytes: Buffer
  start: number
  end: number

  constructor(bytes: Buffer = NOTHING, start = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.start = start
    this.end = end
  }

  /** A span of its own memory with the bytes of a byte string. */
  static of(text: string): Span {
    return new Span(Buffer.from(text, 'latin1'))
  }

  get length(): number {
    return this.end - this.start
  }

  /** The bytes as a byte string. */
  text(): string {
    return this.bytes.toString('latin1', this.start, this.end)
  }

  /** The bytes, in memory of their own. */
  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(this.start, this.end))
  }
}

const NOTHING = Buffer.alloc(0)
