/** Reads commands from the bytes of a connection, in place, and goes on where it was when more bytes come. */
import { splitWords } from '../../commands/quoted-words.ts'
import type { Arguments } from '../../engine/arguments.ts'

const CR = 13
const LF = 10
const STAR = 42
const DOLLAR = 36
/** A line that announces something, or an inline command, is not longer. */
const LINE_BYTES_MAX = 64 * 1024
const WORDS_MAX = 2 ** 31 - 1
/** Numbers of so many digits are read as they come. */
const DIGITS_MAX = 9
/** Bounds while the peer has not said who it is. */
const UNKNOWN_WORDS_MAX = 10
const UNKNOWN_BYTES_MAX = 16 * 1024

/** What the peer sent is not the protocol: it is told so, and the connection ends. */
export class ProtocolError extends Error {}

/**
 * A command that has not come whole stays half-read: which words are complete, how many are to come, how far a line was
 * searched for its end. Nothing is read twice. When its bytes are moved to other memory, `move` says by how much.
 */
export class RequestParser {
  /** Where the unread begins: the next command, after `next` returned true. */
  at = 0
  /** Where the command that is half-read begins. */
  begin = 0
  /** How long a word may be. */
  bytesMax: number = 512 * 2 ** 20
  /** Whether the peer has said who it is. */
  isKnown = true
  /** Words to come; 0: between commands. */
  #left = 0
  /** Length of the word whose bytes come now; -1: its length comes first. */
  #length = -1
  /** To where the present line was searched for its end. */
  #searched = 0
  #number = 0

  /** Where the bytes begin that are still needed. */
  get from(): number {
    return this.#left === 0 && this.#searched <= this.at ? this.at : this.begin
  }

  /** How many bytes the half-read word still needs behind `at`, as far as is known. */
  get needed(): number {
    return this.#length < 0 ? 0 : this.#length + 2
  }

  /** Begins to read at another place, when nothing is half-read. */
  start(at: number): void {
    this.at = at
    this.begin = at
    this.#searched = 0
  }

  /** As `start`, and forgets what is half-read. */
  restart(at: number): void {
    this.#left = 0
    this.#length = -1
    this.start(at)
  }

  /** The bytes lie elsewhere now, so much further along. */
  move(delta: number): void {
    this.at += delta
    this.begin += delta
    this.#searched += delta
  }

  /**
   * Reads on in `bytes` up to `end`. True: `args` are the words of a command (none, of an empty line). False: more has to come.
   *
   * @throws ProtocolError
   */
  next(args: Arguments, bytes: Buffer, end: number): boolean {
    if (this.#left === 0) {
      if (this.at >= end) return false
      if (this.#searched <= this.at) {
        this.begin = this.at
        args.begin(bytes)
      }
      if (bytes[this.at] !== STAR) return this.#inline(args, bytes, end)
      if (!this.#line(bytes, end, 'mbulk')) return false
      const count = this.#number
      if (!(count <= WORDS_MAX)) throw new ProtocolError('invalid multibulk length')
      if (count > UNKNOWN_WORDS_MAX && !this.isKnown) throw new ProtocolError('unauthenticated multibulk length')
      if (count <= 0) return true
      this.#left = count
    }
    while (this.#left > 0) {
      if (this.#length < 0 && !this.#head(bytes, end)) return false
      const after = this.at + this.#length + 2
      if (after > end) return false
      args.add(this.at, after - 2)
      this.at = after
      this.#length = -1
      this.#left--
    }
    return true
  }

  /** `$<length>\r\n` */
  #head(bytes: Buffer, end: number): boolean {
    if (this.at >= end) return false
    if (bytes[this.at] !== DOLLAR) {
      throw new ProtocolError(`expected '$', got '${String.fromCharCode(bytes[this.at]!)}'`)
    }
    if (!this.#line(bytes, end, 'bulk')) return false
    const length = this.#number
    if (!(length >= 0 && length <= this.bytesMax)) throw new ProtocolError('invalid bulk length')
    if (length > UNKNOWN_BYTES_MAX && !this.isKnown) throw new ProtocolError('unauthenticated bulk length')
    this.#length = length
    return true
  }

  /** Reads a line with a number after its first byte, and goes behind it. Nearly all have a few digits, and are here whole. */
  #line(bytes: Buffer, end: number, kind: 'mbulk' | 'bulk'): boolean {
    const start = this.at + 1
    const last = Math.min(end - 1, start + DIGITS_MAX)
    let place = start
    let number = 0
    for (; place < last; place++) {
      const digit = bytes[place]! - 48
      if (digit < 0 || digit > 9) break
      number = number * 10 + digit
    }
    if (place === start || place >= end - 1 || bytes[place] !== CR || (bytes[start] === 48 && place > start + 1)) {
      return this.#anyLine(bytes, end, kind)
    }
    this.#number = number
    this.at = place + 2
    return true
  }

  #anyLine(bytes: Buffer, end: number, kind: 'mbulk' | 'bulk'): boolean {
    const start = this.at + 1
    let place = this.#searched > start ? this.#searched : start
    while (place < end && bytes[place] !== CR) place++
    if (place + 1 >= end) {
      this.#searched = place
      if (end - this.at > LINE_BYTES_MAX) throw new ProtocolError(`too big ${kind} count string`)
      return false
    }
    this.#number = numberIn(bytes, start, place)
    this.at = place + 2
    return true
  }

  #inline(args: Arguments, bytes: Buffer, end: number): boolean {
    let place = Math.max(this.at, this.#searched)
    while (place < end && bytes[place] !== LF) place++
    if (place >= end) {
      this.#searched = place
      if (end - this.at > LINE_BYTES_MAX) throw new ProtocolError('too big inline request')
      return false
    }
    const lineEnd = place > this.at && bytes[place - 1] === CR ? place - 1 : place
    const words = splitWords(bytes.toString('latin1', this.at, lineEnd))
    if (words === undefined) throw new ProtocolError('unbalanced quotes in request')
    this.at = place + 1
    let at = 0
    args.begin(Buffer.from(words.join(''), 'latin1'))
    for (const word of words) args.add(at, (at += word.length))
    return true
  }
}

/** The whole number that these bytes say, in the one way that it is written; else NaN. */
function numberIn(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === 45
  const first = negative ? start + 1 : start
  if (first >= end || end - first > 18 || (bytes[first] === 48 && (negative || end - first > 1))) return Number.NaN
  let value = 0
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return negative ? -value : value
}
