/** A key on its way into an arena-table: its bytes, wherever they lie, and its hash. Made once, aimed at each call. */
import { KeyError } from '../core/errors.ts'
import { hashBytes, lastWord, wordAt } from './arena-hash.ts'
import { KEY_LENGTH_MASK, SPACE_SHIFT } from './arena-layout.ts'

/** Text (stored as UTF-8), or bytes that are read where they lie. */
export type ArenaKey = string | Uint8Array

const ENCODER = new TextEncoder()
/** Up to this many characters a loop is faster than the encoder. */
const LOOP_CHARACTERS = 64
/** As many words of a key are kept for comparing. */
const WORDS = 32
/** Makes a space's number another seed. */
const SPREAD = 0x9e3779b1

export class ArenaKeyReader {
  bytes: Uint8Array
  start = 0
  end = 0
  hash = 0
  /** Length and space, as an item has them; -1: longer than any item's. */
  word = -1
  /** The first bytes of the key, four a word, from low to high; its last, incomplete word has the length on top. */
  readonly words: Int32Array = new Int32Array(WORDS)
  /** Keys differ at their ends. */
  #lastByte = 0
  readonly #seed0: number
  readonly #seed1: number
  #scratch = new Uint8Array(1024)

  constructor(seed0: number, seed1: number) {
    this.bytes = this.#scratch
    this.#seed0 = seed0
    this.#seed1 = seed1
  }

  get length(): number {
    return this.end - this.start
  }

  /** Reads a key of a space: all of it, or of bytes those from `start` to `end`. */
  aim(key: ArenaKey, start: number | undefined, end: number | undefined, space = 0): void {
    if (typeof key === 'string') this.#encode(key)
    else this.#point(key, start ?? 0, end ?? key.length)
    const length = this.end - this.start
    const word = length > KEY_LENGTH_MASK ? -1 : length | (space << SPACE_SHIFT)
    const lastByte = length === 0 ? 0 : this.bytes[this.end - 1]!
    if (lastByte === this.#lastByte && word === this.word && this.#isSame(length)) return
    this.word = word
    this.#lastByte = lastByte
    const seed0 = this.#seed0 ^ Math.imul(space, SPREAD)
    this.hash = hashBytes(this.bytes, this.start, this.end, seed0, this.#seed1, this.words)
  }

  /** Whether it is the key of the call before, whose length and space it has: often it is, and its hash is known. */
  #isSame(length: number): boolean {
    if (length >= WORDS * 4) return false
    const { bytes, words } = this
    let at = this.end - (length & 3)
    if (lastWord(bytes, at, this.end, length) !== words[length >> 2]) return false
    for (let kept = (length >> 2) - 1; kept >= 0; kept--) {
      at -= 4
      if (wordAt(bytes, at) !== words[kept]) return false
    }
    return true
  }

  #point(key: Uint8Array, start: number, end: number): void {
    if (!(key instanceof Uint8Array)) throw new KeyError(key, 'give a string or a Uint8Array')
    if (!(start >= 0 && start <= end && end <= key.length)) {
      throw new KeyError(`${start}-${end}`, `give a range inside its ${key.length} bytes`)
    }
    this.bytes = key
    this.start = start
    this.end = end
  }

  #encode(key: string): void {
    const { length } = key
    if (length * 3 > this.#scratch.length) this.#scratch = new Uint8Array(length * 4)
    const scratch = this.#scratch
    this.bytes = scratch
    this.start = 0
    this.end = length
    let at = 0
    if (length <= LOOP_CHARACTERS) {
      for (; at < length; at++) {
        const code = key.charCodeAt(at)
        if (code >= 0x80) break
        scratch[at] = code
      }
    }
    if (at < length) this.end = ENCODER.encodeInto(key, scratch).written
  }
}
