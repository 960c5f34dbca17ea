/** The words of one command, where they lie: name first, as a client sent them. Made once a connection, filled for each command. */
import { readInteger } from './digits.ts'
import { notFloat, notInteger, type ReplyError } from './errors.ts'
import { Span } from './span.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** The arguments of a command; 0 is its name. They say something until the command is over; `keep()` for longer. */
export class Arguments {
  bytes: Buffer = NOTHING
  /** Number of words, with the name. */
  count = 0
  /** What a log says of the command beside its words: see engine/log/log-note.ts. */
  note: string | undefined
  #starts = new Int32Array(16)
  #ends = new Int32Array(16)
  readonly #spans: Span[] = []

  /** The arguments of a command that is made here: of a script, of a log, of a client that waited. */
  static of(words: readonly (string | Uint8Array)[]): Arguments {
    const args = new Arguments()
    const parts = words.map((word) => (typeof word === 'string' ? Buffer.from(word, 'latin1') : word))
    args.begin(Buffer.concat(parts))
    let at = 0
    for (const part of parts) {
      args.add(at, at + part.length)
      at += part.length
    }
    return args
  }

  /** Starts a new command whose words lie in `bytes`. */
  begin(bytes: Buffer): void {
    this.bytes = bytes
    this.count = 0
  }

  /** Adds the next word. */
  add(start: number, end: number): void {
    if (this.count === this.#starts.length) this.#grow()
    this.#starts[this.count] = start
    this.#ends[this.count++] = end
  }

  /** The words lie in other memory now, `delta` further along. */
  move(bytes: Buffer, delta: number): void {
    this.bytes = bytes
    for (let at = 0; at < this.count; at++) {
      this.#starts[at]! += delta
      this.#ends[at]! += delta
    }
  }

  start(at: number): number {
    return this.#starts[at]!
  }

  end(at: number): number {
    return this.#ends[at]!
  }

  length(at: number): number {
    return this.#ends[at]! - this.#starts[at]!
  }

  /** A word where it lies, such as a key. Each place has a span of its own, which the next command aims elsewhere. */
  span(at: number): Span {
    const span = (this.#spans[at] ??= new Span())
    span.bytes = this.bytes
    span.start = this.#starts[at]!
    span.end = this.#ends[at]!
    return span
  }

  /** The words from `from` to before `to`, where they lie: several keys. */
  spans(from: number, to: number): Span[] {
    return Array.from({ length: to - from }, (_, at) => this.span(from + at))
  }

  /** A word as a byte string. */
  text(at: number): string {
    const start = this.#starts[at]!
    const end = this.#ends[at]!
    return end - start <= SHORT ? shortText(this.bytes, start, end - start) : this.bytes.toString('latin1', start, end)
  }

  /** The words from `from` to the end (or before `to`) as byte strings. */
  texts(from: number, to: number = this.count): string[] {
    const texts: string[] = []
    for (let at = from; at < to; at++) texts.push(this.text(at))
    return texts
  }

  /** A word in capitals: an option's name. Only for those, it is made anew each time. */
  option(at: number): string {
    return this.text(at).toUpperCase()
  }

  /** Whether a word is this one, in capitals or not. `word` must be given in small letters and have no other characters. */
  is(at: number, word: string): boolean {
    const start = this.#starts[at]!
    if (this.#ends[at]! - start !== word.length) return false
    for (let place = 0; place < word.length; place++) {
      if ((this.bytes[start + place]! | 0x20) !== word.charCodeAt(place)) return false
    }
    return true
  }

  /** A word as a whole number that a double holds exactly. Further ones up to 64 bits lose their last digits: see `int64`. */
  integer(at: number, failure: () => ReplyError = notInteger): number {
    const value = readInteger(this.bytes, this.#starts[at]!, this.#ends[at]!)
    return Number.isNaN(value) ? Number(this.int64(at, failure)) : value
  }

  /** A word as a whole number of 64 bits, written as Redis demands it: no spaces, no sign '+', no zero in front. */
  int64(at: number, failure: () => ReplyError = notInteger): bigint {
    const value = parseInt64(this.text(at))
    if (value === undefined) throw failure()
    return value
  }

  /** A word as a floating-point number, 'inf' included; not a number is refused. */
  float(at: number, failure: () => ReplyError = notFloat): number {
    const value = parseFloat64(this.text(at))
    if (value === undefined) throw failure()
    return value
  }

  /** A copy that stays as it is. */
  keep(): Arguments {
    const kept = Arguments.of(Array.from({ length: this.count }, (_, at) => this.span(at).copy()))
    kept.note = this.note
    return kept
  }

  #grow(): void {
    const starts = this.#starts
    const ends = this.#ends
    this.#starts = new Int32Array(starts.length * 2)
    this.#ends = new Int32Array(ends.length * 2)
    this.#starts.set(starts)
    this.#ends.set(ends)
  }
}

/** Up to so many bytes a text is made in half the time without a call into Node. */
const SHORT = 4

function shortText(bytes: Uint8Array, at: number, length: number): string {
  if (length === 3) return String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!)
  if (length === 1) return String.fromCharCode(bytes[at]!)
  if (length === 2) return String.fromCharCode(bytes[at]!, bytes[at + 1]!)
  return length === 0 ? '' : String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!)
}

/** A byte string as a whole number of 64 bits, in the one way that Redis writes it; else `undefined`. */
export function parseInt64(text: string): bigint | undefined {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return undefined
  const value = BigInt(text)
  return value > INT64_MAX || value < INT64_MIN ? undefined : value
}

/** A byte string as a double: decimal, exponent, hexadecimal, 'inf'; else, for not a number and beyond all doubles, `undefined`. */
export function parseFloat64(text: string): number | undefined {
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return parseHex(text)
  const value = Number(text)
  const vanished = value === 0 && /[1-9]/.test(text.replace(/e.*/i, ''))
  return Number.isFinite(value) && !vanished ? value : undefined
}

function parseHex(text: string): number | undefined {
  const match = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d{1,5}))?$/i.exec(text)
  if (match === null) return undefined
  const [, sign, whole, fraction = '', exponent = '0'] = match as unknown as string[]
  const digits = `${whole}${fraction}`
  if (digits === '') return undefined
  const value = Number(`0x${digits}`) * 2 ** (Number(exponent) - fraction.length * 4)
  return Number.isFinite(value) ? (sign === '-' ? -value : value) : undefined
}

const NOTHING = Buffer.alloc(0)
