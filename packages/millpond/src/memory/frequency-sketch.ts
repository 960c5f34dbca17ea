/**
 * How often keys were used of late, remembered for far more keys than the table holds: 4-bit counters that are shared by hash.
 *
 * A count-min sketch: three counters a key, the lowest of them counts. All three lie in one 64-byte block, so that an access costs one
 * cache line; its last quarter is left for what else is to be known of the same keys. It is written when an entry leaves
 * and read when one comes; while an entry is in the table its policy counts for it. Everything halves once in a
 * period, so that old fame fades; that happens one block at a time.
 *
 * Cormode and Muthukrishnan, "An Improved Data Stream Summary: The Count-Min Sketch", 2005; ageing and 4 bits: Einziger,
 * Friedman and Manes, "TinyLFU", ACM ToS 2017.
 */
export class FrequencySketch {
  readonly #words: Uint32Array
  readonly #state: Int32Array
  readonly #mask: number
  /** How many parts `halveSome` does one of. */
  readonly blocks: number

  /**
   * 32-bit words for so many slots: a power of two. Small tables get more a slot: their ties are broken by collisions.
   *
   * @param parts how many such parts the table is cut into, each with a sketch of its own
   */
  static words(slots: number, parts = 1): number {
    const all = slots * parts
    return Math.max(BLOCK_WORDS, 2 * powerOfTwo(slots * (all <= 1024 ? 8 : all <= 65_536 ? 2 : 1)))
  }

  /** @param state one word of memory: how many blocks have still to be halved in this period, the first ones. */
  constructor(words: Uint32Array, state: Int32Array) {
    this.#words = words
    this.#state = state
    this.blocks = words.length / BLOCK_WORDS
    this.#mask = this.blocks - 1
  }

  /** 0 to 15. */
  read(hash: number): number {
    const words = this.#words
    const block = hash & this.#mask
    const at = block * BLOCK_WORDS
    let bits = Math.imul(hash, SPREAD) >>> 12
    let least = 15
    for (let row = at; row < at + COUNTER_WORDS; row += 4) {
      const count = (words[row + (bits & 3)]! >>> (bits & 28)) & 15
      if (count < least) least = count
      bits >>>= 5
    }
    return block < this.#state[0]! ? least >>> 1 : least
  }

  /** Notes that the key was used `count` times, 0 to 15, unless more is on record. */
  raise(hash: number, count: number): void {
    const words = this.#words
    const block = hash & this.#mask
    if (block < this.#state[0]!) count = Math.min(15, count * 2)
    const at = block * BLOCK_WORDS
    let bits = Math.imul(hash, SPREAD) >>> 12
    for (let row = at; row < at + COUNTER_WORDS; row += 4) {
      const index = row + (bits & 3)
      const shift = bits & 28
      const word = words[index]!
      if (((word >>> shift) & 15) < count) words[index] = (word & ~(15 << shift)) | (count << shift)
      bits >>>= 5
    }
  }

  /** Begins a period: every counter counts half from now on. */
  age(): void {
    while (this.halveSome());
    this.#state[0] = this.blocks
  }

  /** Does one part of the halving. Returns whether there was one left. */
  halveSome(): boolean {
    const block = this.#state[0]! - 1
    if (block < 0) return false
    const words = this.#words
    for (let at = block * BLOCK_WORDS, end = at + COUNTER_WORDS; at < end; at++)
      words[at] = (words[at]! >>> 1) & 0x77777777
    this.#state[0] = block
    return true
  }
}

/** The least power of two that is not below `count`. */
export function powerOfTwo(count: number): number {
  let power = 1
  while (power < count) power *= 2
  return power
}

/** A block, and how much of it, from its beginning, is counters. */
export const BLOCK_WORDS = 16
export const COUNTER_WORDS = 12
const SPREAD = 0x9e3779b1
