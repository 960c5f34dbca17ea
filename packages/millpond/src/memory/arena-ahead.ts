/**
 * Keys that will be asked for soon: their items are fetched from memory together.
 *
 * A look for one key waits for memory three or four times, one after the other: for the index, the item, the policy's words, the
 * value. The processor waits for many places at once as long as none depends on another. So each of these steps is
 * taken for all keys before the next one, by reading a word; what is read is in the processor's cache when the
 * key is asked for. Nothing is decided by it: locks are not taken, so what is read may be out of date.
 *
 * Chen, Ailamaki, Gibbons and Mowry, "Improving Hash Join Performance through Prefetching", ICDE 2004 (group prefetching).
 */
import type { ArenaCore } from './arena-core.ts'
import { type ArenaKey, ArenaKeyReader } from './arena-key.ts'
import { CHUNK, REFERENCE, TABLE } from './arena-layout.ts'

/** So many keys at most are fetched at once. */
const KEYS_AHEAD_MAX = 64
/** Words of a line of the processor's cache. */
const LINE_WORDS = 16
/** Lines of a long item: the processor notices by itself that the others follow. */
const LINES_MAX = 3

/**
 * `table.ahead`: `expect` keys, then `fetch` them, then ask the table for them. Worth it from two keys on, where a table is larger than
 * the processor's cache.
 */
export class ArenaAhead {
  readonly #core: ArenaCore
  readonly #key: ArenaKeyReader
  readonly #hashes = new Int32Array(KEYS_AHEAD_MAX)
  readonly #refs = new Int32Array(KEYS_AHEAD_MAX)
  #count = 0
  #fetched = 0
  /** What was read is added up and kept, or an optimizing compiler would see that nobody needs it. */
  #sum = 0

  constructor(core: ArenaCore) {
    const { words } = core.memory
    this.#core = core
    this.#key = new ArenaKeyReader(words[TABLE.SEED_0]!, words[TABLE.SEED_1]!)
  }

  /** Notes a key that will be asked for soon; 64 at most before `fetch`. Returns whether there is room for more. */
  expect(key: ArenaKey, start?: number, end?: number, space = 0): boolean {
    if (this.#count === KEYS_AHEAD_MAX) return false
    this.#key.aim(key, start, end, space)
    this.#hashes[this.#count++] = this.#key.hash
    return this.#count < KEYS_AHEAD_MAX
  }

  /** Fetches what was noted into the processor's cache. */
  fetch(): void {
    this.#sum = (this.#sum + this.#fetchIndexes() + this.#fetchItems() + this.#fetchUses()) | 0
    this.#fetched = this.#count
    this.#count = 0
  }

  /** The object that the n-th key of the last `fetch` most likely refers to; 0: none. */
  reference(n: number): number {
    const { words } = this.#core.memory
    const ref = n < this.#fetched ? this.#refs[n]! : 0
    return (words[ref * 4 + CHUNK.KEY_LENGTH]! & REFERENCE) === 0 || ref === 0 ? 0 : words[ref * 4 + CHUNK.FLAGS]!
  }

  #fetchIndexes(): number {
    const core = this.#core
    let sum = 0
    for (let at = 0; at < this.#count; at++) {
      const hash = this.#hashes[at]!
      sum += core.stripes[core.stripeOf(hash)]!.indexWordOf(hash)
    }
    return sum
  }

  #fetchItems(): number {
    const core = this.#core
    const { words } = core.memory
    let sum = 0
    for (let at = 0; at < this.#count; at++) {
      const hash = this.#hashes[at]!
      const ref = core.stripes[core.stripeOf(hash)]!.guess(hash)
      this.#refs[at] = ref
      sum += words[ref * 4]!
    }
    return sum
  }

  #fetchUses(): number {
    const core = this.#core
    const { words } = core.memory
    let sum = 0
    for (let at = 0; at < this.#count; at++) {
      const ref = this.#refs[at]!
      if (ref === 0) continue
      const stripe = core.stripes[core.stripeOf(this.#hashes[at]!)]!
      const length = Math.min(
        LINES_MAX * LINE_WORDS,
        (core.memory.headBytes + words[ref * 4 + CHUNK.VALUE_LENGTH]!) >> 2,
      )
      for (let word = LINE_WORDS; word < length; word += LINE_WORDS) sum += words[ref * 4 + word]!
      sum += stripe.policy.touch?.(stripe.slotOf(ref)) ?? 0
    }
    return sum
  }
}
