/** Looks through the commands that have come for the keys that they will ask for, before the first of them is run. */
import type { Keyspace } from '../../engine/keyspace.ts'

const CR = 13
const STAR = 42
const DOLLAR = 36
/** Digits of a length; what is longer is left alone. */
const DIGITS_MAX = 9
/** What is longer is rarely a key. */
const KEY_BYTES_MAX = 512
/** So many keys are fetched at once: more would push one another out of the processor's cache. */
const KEYS_MAX = 64

/**
 * A pipeline names many keys at once, and the memory of all can be fetched together (`Keyspace.fetch`). The second word of a command
 * is a key as a rule, and the third one an element of a hash or a set; where they are not, nothing is lost. This only looks: what is not as expected ends the look, and
 * the parser will find what is wrong with it.
 */
export class LookAhead {
  /** Whether nothing was fetched since `begin` but one key that many commands name: most likely it is in the processor's cache. */
  isVain = false
  /** Commands before this place have been looked at. */
  #to = 0
  /** Where the look is, and the number that it has read last. */
  #at = 0
  #number = 0
  readonly #starts = new Int32Array(KEYS_MAX)
  readonly #ends = new Int32Array(KEYS_MAX)
  /** Which of the keys that are fetched each is. */
  readonly #nth = new Int32Array(KEYS_MAX)
  /** The words behind the keys; an end of 0: there is none. */
  readonly #nextStarts = new Int32Array(KEYS_MAX)
  readonly #nextEnds = new Int32Array(KEYS_MAX)
  #count = 0

  /** Forgets what was looked at: other bytes have come. `to`: what comes before this place is left alone. */
  begin(to = 0): void {
    this.#to = to
    this.isVain = false
  }

  /** Fetches the keys of the commands that begin at `from`, unless that was done. */
  look(db: Keyspace, bytes: Buffer, from: number, end: number): void {
    if (from < this.#to) return
    this.#at = from
    this.#count = 0
    while (this.#count < KEYS_MAX && this.#command(bytes, end));
    this.#to = this.#count < KEYS_MAX ? end : this.#at
    if (this.#count < 2) return
    const keys = this.#expectKeys(db, bytes)
    db.fetch()
    let elements = 0
    for (let at = 0; at < this.#count; at++) {
      if (this.#nextEnds[at]! === 0) continue
      if (db.expectElement(this.#nth[at]!, bytes, this.#nextStarts[at]!, this.#nextEnds[at]!)) elements++
    }
    db.fetchElements()
    this.isVain = keys + elements < 2
  }

  /** Commands one after the other that name the same key need it once. Returns how many keys those are. */
  #expectKeys(db: Keyspace, bytes: Buffer): number {
    let expected = 0
    for (let at = 0; at < this.#count; at++) {
      if (at === 0 || !this.#isSame(at, bytes)) {
        db.expect(bytes, this.#starts[at]!, this.#ends[at]!)
        expected++
      }
      this.#nth[at] = expected - 1
    }
    return expected
  }

  /** Whether a key is that of the command before. Keys differ at their ends, as a rule. */
  #isSame(at: number, bytes: Buffer): boolean {
    let one = this.#ends[at - 1]!
    let other = this.#ends[at]!
    const start = this.#starts[at]!
    if (other - start !== one - this.#starts[at - 1]!) return false
    while (other > start) if (bytes[--other] !== bytes[--one]) return false
    return true
  }

  /** Goes past a command, and notes its key. Returns whether it has come whole. */
  #command(bytes: Buffer, end: number): boolean {
    if (!this.#line(STAR, bytes, end)) return false
    const words = this.#number
    const before = this.#count
    for (let word = 0; word < words; word++) {
      if (!this.#line(DOLLAR, bytes, end)) return false
      const start = this.#at
      this.#at = start + this.#number + 2
      if (this.#at > end) return false
      if (word === 1) this.#note(start)
      else if (word === 2 && this.#count > before) this.#noteNext(start)
    }
    return true
  }

  #note(start: number): void {
    if (this.#number > KEY_BYTES_MAX) return
    this.#starts[this.#count] = start
    this.#nextEnds[this.#count] = 0
    this.#ends[this.#count++] = this.#at - 2
  }

  #noteNext(start: number): void {
    if (this.#number > KEY_BYTES_MAX) return
    this.#nextStarts[this.#count - 1] = start
    this.#nextEnds[this.#count - 1] = this.#at - 2
  }

  /** Reads the number behind a mark, and goes behind its line. */
  #line(mark: number, bytes: Buffer, end: number): boolean {
    let at = this.#at
    if (at >= end || bytes[at++] !== mark) return false
    let number = 0
    const last = Math.min(end - 1, at + DIGITS_MAX)
    for (; at < last && bytes[at] !== CR; at++) number = number * 10 + bytes[at]! - 48
    if (bytes[at] !== CR || !(number >= 0)) return false
    this.#number = number
    this.#at = at + 2
    return true
  }
}
