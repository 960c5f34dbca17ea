/** What has come of a connection and was not executed yet. */

/** What reads a connection's bytes, and stops where they end in the middle of something. */
export interface HalfParser {
  /** Begins to read at another place, when nothing is half-read. */
  start(at: number): void
  /** The bytes lie elsewhere now: in these, so much further along. */
  move(bytes: Buffer, delta: number): void
  /** Where the bytes begin that are still needed. */
  readonly from: number
  /** To where bytes will at least be needed, as far as is known. */
  readonly wanted: number
}

/** Memory of this size is given back when it is empty. */
const KEPT_BYTES = 64 * 1024

/**
 * Most reads bring whole commands, which are read where they lie. The beginning of one that is not whole is kept, and put in
 * front of what comes next, where there is room for it; a longer one collects in memory of its own.
 */
export class HalfRead {
  readonly #parser: HalfParser
  #kept: Buffer = NOTHING
  #length = 0

  constructor(parser: HalfParser) {
    this.#parser = parser
  }

  /** Bytes that are kept. */
  get length(): number {
    return this.#length
  }

  /** Bytes of memory that are taken for them. */
  get memory(): number {
    return this.#kept.length
  }

  /** Lets `run` read what was kept together with `bytes` from `start` to `end`, and keeps what it leaves. */
  join(bytes: Buffer, start: number, end: number, run: (bytes: Buffer, end: number) => void): void {
    if (this.#length === 0) this.#parser.start(start)
    else if (this.#length <= start) {
      this.#kept.copy(bytes, start - this.#length, 0, this.#length)
      this.#parser.move(bytes, start - this.#length)
    } else {
      this.keepMore(bytes, start, end)
      this.resume(run)
      return
    }
    run(bytes, end)
    this.#keep(bytes, end)
  }

  /** Adds to what is kept, without reading it. */
  keepMore(bytes: Buffer, start: number, end: number): void {
    const parser = this.#parser
    if (this.#length === 0) {
      parser.start(0)
      parser.move(this.#kept, 0)
    }
    const needed = Math.max(this.#length + end - start, parser.wanted)
    if (this.#length + end - start > this.#kept.length) {
      const room = Math.min(needed, this.#kept.length * 2)
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + end - start, room, 1024))
      this.#kept.copy(larger, 0, 0, this.#length)
      this.#kept = larger
      parser.move(larger, 0)
    }
    bytes.copy(this.#kept, this.#length, start, end)
    this.#length += end - start
  }

  /** Lets `run` read what is kept. */
  resume(run: (bytes: Buffer, end: number) => void): void {
    if (this.#length === 0) return
    const end = this.#length
    run(this.#kept, end)
    this.#keep(this.#kept, end)
  }

  #keep(bytes: Buffer, end: number): void {
    const { from } = this.#parser
    this.#length = end - from
    if (this.#length === 0) {
      if (this.#kept.length > KEPT_BYTES) this.#kept = NOTHING
      return
    }
    if (bytes !== this.#kept && this.#kept.length < this.#length) {
      this.#kept = Buffer.allocUnsafeSlow(Math.max(1024, this.#length))
    }
    if (bytes !== this.#kept || from > 0) bytes.copy(this.#kept, 0, from, end)
    this.#parser.move(this.#kept, -from)
  }
}

const NOTHING = Buffer.alloc(0)
