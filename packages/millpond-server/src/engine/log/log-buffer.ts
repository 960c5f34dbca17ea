/** What is to be appended to a log: commands in the form in which Redis's clients send them. */
import type { Arguments } from '../arguments.ts'
import { markOf } from './log-mark.ts'

const FIRST_BYTES = 64 * 1024
const SPARE_BYTES_MAX = 4 * 2 ** 20
/** Below this a loop is faster than a call. */
const LOOP_BYTES = 64
const CR = 13
const LF = 10

/** Commands that are written at once. */
export interface Stretch {
  readonly bytes: Buffer
  /** Without the mark. */
  readonly length: number
}

export class LogBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0
  #spare: Buffer | undefined

  get length(): number {
    return this.#length
  }

  /** What was gathered and not taken. */
  get waiting(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** What was gathered, with a mark behind it, in memory of its own until `reuse` gives that back. */
  take(): Stretch {
    const length = this.#length
    if (length > 0) this.#mark()
    const bytes = this.#bytes.subarray(0, this.#length)
    this.#bytes = this.#spare ?? Buffer.allocUnsafeSlow(FIRST_BYTES)
    this.#spare = undefined
    this.#length = 0
    return { bytes, length }
  }

  /** Memory that was taken is free again. */
  reuse({ bytes }: Stretch): void {
    if (bytes.buffer.byteLength <= SPARE_BYTES_MAX) this.#spare = Buffer.from(bytes.buffer)
  }

  #mark(): void {
    const mark = markOf(this.#bytes.subarray(0, this.#length))
    this.#reserve(mark.length)
    this.#length += this.#bytes.write(mark, this.#length, 'latin1')
  }

  /** A command, from words where they lie. */
  command(args: Arguments): void {
    if (args.note !== undefined) this.#line(args.note)
    this.#head('*', args.count)
    for (let at = 0; at < args.count; at++) this.#word(args.bytes, args.start(at), args.end(at))
  }

  /** A command from texts. */
  words(...words: readonly string[]): void {
    this.#head('*', words.length)
    for (const word of words) {
      const bytes = Buffer.from(word, 'latin1')
      this.#word(bytes, 0, bytes.length)
    }
  }

  #line(text: string): void {
    this.#reserve(text.length + 2)
    this.#length += this.#bytes.write(`${text}\r\n`, this.#length, 'latin1')
  }

  #word(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.#head('$', length)
    this.#reserve(length + 2)
    const to = this.#bytes
    let at = this.#length
    if (length > LOOP_BYTES) {
      to.set(bytes.subarray(start, end), at)
      at += length
    } else for (let from = start; from < end; from++) to[at++] = bytes[from]!
    to[at++] = CR
    to[at++] = LF
    this.#length = at
  }

  /** '*' or '$', a number, and the end of the line. */
  #head(sign: '*' | '$', value: number): void {
    this.#reserve(16)
    const to = this.#bytes
    let at = this.#length
    to[at++] = sign === '*' ? 42 : 36
    if (value < 10) to[at++] = 48 + value
    else at += to.write(String(value), at, 'latin1')
    to[at++] = CR
    to[at++] = LF
    this.#length = at
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + more, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
