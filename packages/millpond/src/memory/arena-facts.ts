/** What can be asked of an arena-table as a whole: its bounds, what it holds and what that weighs, and its keys, one after the other. */
import { ArenaAhead } from './arena-ahead.ts'
import type { ArenaCore } from './arena-core.ts'
import { TABLE } from './arena-layout.ts'
import { UNITS_MAX } from './arena-memory.ts'
import type { ArenaScan } from './arena-options.ts'
import { ArenaWalk } from './arena-walk.ts'
import type { PolicyFactory } from './policy.ts'

export class ArenaFacts {
  readonly #core: ArenaCore
  readonly #policies: readonly PolicyFactory[]
  readonly #walk: ArenaWalk
  /** Fetches keys from memory that will be asked for soon, several at once. */
  readonly ahead: ArenaAhead

  constructor(core: ArenaCore, policies: readonly PolicyFactory[]) {
    this.#core = core
    this.#policies = policies
    this.#walk = new ArenaWalk(core)
    this.ahead = new ArenaAhead(core)
  }

  /** The bound on `weight`. */
  get maxWeight(): number {
    const units = this.#core.memory.words[TABLE.LIMIT_UNITS]!
    return units === UNITS_MAX ? this.#core.memory.buffer.byteLength : units * 16
  }

  /** The most that `maxWeight` can be set to: what was asked for at first. */
  get capacity(): number {
    return this.#core.memory.buffer.byteLength
  }

  /**
   * Bytes in use: of pages that hold items, indexes, or parts of either, and what objects weigh that entries refer to. Above
   * `maxWeight` only where such objects have grown, or `maxWeight` was lowered: see `trim`. A bound below `capacity` is exact
   * for `usedBytes`; pages may be 3 % more, or 16.
   */
  get weight(): number {
    return this.#core.pages.used * this.#core.memory.layout.pageBytes + this.#core.memory.words[TABLE.EXTRA_UNITS]! * 16
  }

  /** As `weight`, without the places in pages that hold nothing. */
  get usedBytes(): number {
    return this.#core.pages.units * 16
  }

  /** The part of `weight` that objects weigh to which entries refer. */
  get objectWeight(): number {
    return this.#core.memory.words[TABLE.EXTRA_UNITS]! * 16
  }

  /** Whether `weight` is above its bound: see `trim`. */
  get isAbove(): boolean {
    return !this.#core.pages.fits(0) || !this.#core.pages.holds(0)
  }

  /** Name of the policy in use. */
  get policy(): string {
    return this.#policies[this.#core.memory.words[TABLE.POLICY]!]!.name
  }

  /** Bytes of chunks that hold items: the part of `weight` that is neither index nor free for items of the same size. */
  get itemWeight(): number {
    return this.#core.memory.words[TABLE.LIVE_UNITS]! * 16
  }

  /** Number of entries, with those that have expired and were not yet cleared away. */
  get size(): number {
    return this.#core.stripes.reduce((sum, stripe) => sum + stripe.count, 0)
  }

  /** As `size`, of one space. */
  sizeOf(space: number): number {
    let sum = 0
    for (const stripe of this.#core.stripes) sum += stripe.countOf(space)
    return sum
  }

  /** How many entries of a space have an expiry. */
  expiringOf(space: number): number {
    let sum = 0
    for (const stripe of this.#core.stripes) sum += stripe.expiringOf(space)
    return sum
  }

  /** Number of parts with an index of their own. */
  get stripes(): number {
    return this.#core.stripes.length
  }

  /** Entries and unused places of a part, which `sweepStripe` looks at. */
  slotsOf(stripe: number): number {
    return this.#core.stripes[stripe]!.usedSlots
  }

  /**
   * Keys in steps: begin with cursor 0 and go on with the one that was returned until it is 0. A key that has a value from the
   * beginning to the end is returned: once, or twice when a part of the table shrank meanwhile. One that is set or removed
   * meanwhile may be returned or not. Other threads work on between the steps.
   *
   * @param count about how many places of the table to look at in this step
   */
  scan(cursor = 0, count: number = SCAN_SLOTS, space = 0): ArenaScan {
    return this.#walk.scan(cursor, count, space)
  }

  /** All keys, with the promises of `scan`. */
  *keys(space = 0): Generator<Uint8Array> {
    let cursor = 0
    do {
      const step = this.scan(cursor, SCAN_SLOTS, space)
      yield* step.keys
      cursor = step.cursor
    } while (cursor !== 0)
  }

  /** Some key of a space, by chance (0 to 1); `undefined`: it has none that is not expired. */
  someKey(chance: number, space = 0): Uint8Array | undefined {
    return this.#walk.someKey(chance, space)
  }

  /** Up to `count` keys, those that the policy would keep longest first. Each stripe orders its own. */
  hottest(count: number): Uint8Array[] {
    return this.#walk.ranked(count, (policy, slot) => policy.colder(slot))
  }

  /** Up to `count` keys, those that the policy would let go first. */
  coldest(count: number): Uint8Array[] {
    return this.#walk.ranked(count, (policy, slot) => policy.hotter(slot))
  }
}

const SCAN_SLOTS = 256
