import { powerOfTwo } from './frequency-sketch.ts'

/**
 * The hashes of entries that left of late, so that one that comes back is recognised: no keys, no lists, 4 bytes each.
 *
 * A set-associative table of four ways. A word holds 18 bits of the hash, one bit for the kind of memory, and the time
 * of leaving: 13 bits that count departures in steps of 1/1024 of the capacity and wrap. A word that
 * was not overwritten for eight capacities would look young again; its set has long been filled by others by then.
 */
export class Ghost {
  readonly #words: Int32Array
  readonly #state: Int32Array
  readonly #mask: number
  readonly #stepBits: number
  readonly #stride: number
  readonly #first: number

  /** 32-bit words for a ghost that remembers up to `capacity` departures. */
  static words(capacity: number): number {
    return WAYS * powerOfTwo(Math.ceil(Math.max(8, capacity) / WAYS))
  }

  /**
   * @param state one word of memory: the number of departures.
   * @param stride words from one set to the next, the first set beginning at `first`: something else may lie in between.
   */
  constructor(words: Int32Array, state: Int32Array, stride: number = WAYS, first = 0) {
    const sets = words.length / stride
    this.#words = words
    this.#state = state
    this.#stride = stride
    this.#first = first
    this.#mask = sets - 1
    this.#stepBits = Math.max(0, Math.log2(sets * WAYS) - 10)
  }

  /** Remembers a departure, in place of the oldest one in its set. */
  add(hash: number, kind: 0 | 1): void {
    const words = this.#words
    const now = ++this.#state[0]!
    const set = (hash & this.#mask) * this.#stride + this.#first
    let oldest = set
    let oldestAge = -1
    for (let at = set; at < set + WAYS; at++) {
      const word = words[at]!
      const age = word === 0 ? AGES : this.#steps(word, now)
      if (age > oldestAge) {
        oldest = at
        oldestAge = age
      }
    }
    words[oldest] = (hash & TAG) | (kind << KIND_BIT) | ((now >>> this.#stepBits) & (AGES - 1))
  }

  /** Where the hash is remembered, or -1 when it did not leave among the last `span` departures. */
  find(hash: number, span: number): number {
    const words = this.#words
    const set = (hash & this.#mask) * this.#stride + this.#first
    for (let at = set; at < set + WAYS; at++) {
      const word = words[at]!
      if (((word ^ hash) & TAG) === 0 && word !== 0 && this.age(at) < span) return at
    }
    return -1
  }

  /** How many others left since what stands at `at` did, about. */
  age(at: number): number {
    return this.#steps(this.#words[at]!, this.#state[0]!) << this.#stepBits
  }

  kind(at: number): number {
    return (this.#words[at]! >>> KIND_BIT) & 1
  }

  forget(at: number): void {
    this.#words[at] = 0
  }

  #steps(word: number, now: number): number {
    return ((now >>> this.#stepBits) - word) & (AGES - 1)
  }
}

const WAYS = 4
const AGES = 8192
const KIND_BIT = 13
/** The upper 18 bits: the set is chosen by the lower ones. */
const TAG = -1 << 14
