/** What concerns an arena-table as a whole: its bound, its policy, what has expired, all that is in it. */
import { OptionError } from '../core/errors.ts'
import { type Size, sizeBytes } from '../core/size.ts'
import type { ArenaCore } from './arena-core.ts'
import { TABLE } from './arena-layout.ts'
import { WEIGHT_MIN } from './arena-make.ts'
import { UNITS_MAX } from './arena-memory.ts'
import { ArenaSharing } from './arena-sharing.ts'
import type { FrequencyPace } from './arena-use.ts'
import type { PolicyFactory, RemovalReason } from './policy.ts'

const SCAN_SLOTS = 256
/** Pages that a bound below the capacity may be passed by, for what is free in them. */
const SPARE_PAGES_MIN = 16
const SPARE_SHARE = 0.03

export class ArenaUpkeep extends ArenaSharing {
  readonly #core: ArenaCore

  constructor(core: ArenaCore, policies: readonly PolicyFactory[]) {
    super(core, policies)
    this.#core = core
  }

  /** Sets the bound, down to its minimum and up to `capacity`. What is above a lower one leaves with `trim` and each `set`. */
  setMaxWeight(size: Size): void {
    const bytes = sizeBytes(size, 'maxWeight')
    const pages = Math.ceil(bytes / this.#core.memory.layout.pageBytes)
    if (bytes < WEIGHT_MIN) throw new OptionError('maxWeight', size, `give at least '256kb'`)
    const { words, layout } = this.#core.memory
    // Each size of chunks begins with a page of its own: without a few more, sizes that are seldom would cost entries.
    const spare = Math.max(SPARE_PAGES_MIN, Math.ceil(pages * SPARE_SHARE))
    words[TABLE.LIMIT_PAGES] = Math.min(pages + spare, layout.pages)
    words[TABLE.LIMIT_UNITS] = pages >= layout.pages ? UNITS_MAX : Math.floor(bytes / 16)
  }

  /** Another one of the `policies` decides from now on who leaves. Stripes follow one by one, when they are next used. */
  usePolicy(name: string): void {
    this.#core.usePolicy(name)
  }

  /** Lets entries go until the table is within its bound, in at most so many steps. 'stuck': nothing more may be let go. */
  trim(steps: number): 'within' | 'above' | 'stuck' {
    return this.#core.trim(steps)
  }

  /** Lets no part of the table shrink, so that `scan` returns no key twice; or lets it again. */
  keepSlots(keep: boolean): void {
    this.#core.memory.words[TABLE.KEEPS_SLOTS] = keep ? 1 : 0
  }

  /** Lets reading count as no use, and so not keep anything longer. For this thread. */
  ignoreUse(ignore: boolean): void {
    this.#core.ignoresUse = ignore
  }

  /** Lets what has expired stay where it is, though nobody is served it: until it is written over, or this is over. For this thread. */
  keepExpired(keep: boolean): void {
    this.#core.keepsExpired = keep
  }

  /** Makes the indexes of all stripes, so that what an empty table takes is known before it is filled. */
  prepare(): void {
    this.#core.prepare()
  }

  /** Whether uses are counted, and how; `undefined`: the time of the last one is kept. What was kept before says nothing then. */
  countUses(pace: FrequencyPace | undefined): void {
    this.#core.pace = pace
  }

  /**
   * Clears away expired entries, looking at `slots` of each stripe, and returns how many. An expired entry is never
   * served; its room comes back when it is asked for, when room is needed, by and by with every `set`, or here.
   */
  sweep(slots: number = SCAN_SLOTS): number {
    let removed = 0
    for (let stripe = 0; stripe < this.#core.stripes.length; stripe++) removed += this.sweepStripe(stripe, slots)
    return removed
  }

  /** As `sweep`, in one of the `stripes`: for who has little time. */
  sweepStripe(number: number, slots: number): number {
    const stripe = this.#core.stripes[number]!
    if (stripe.expiring === 0 && this.#core.memory.words[TABLE.DEAD_SPACES] === 0) return 0
    this.#core.enter(stripe)
    try {
      return this.#core.sweep(stripe, slots)
    } finally {
      this.#core.exit(stripe)
    }
  }

  /**
   * Says that nobody will ask for the keys of a space again until it is empty (`sizeOf`): its entries are removed by
   * `sweep`, by sets, and when room is needed.
   */
  abandon(space: number): void {
    this.#core.memory.words[TABLE.DEAD_SPACES]! |= 1 << space
  }

  /** The space is used again: it must be empty. */
  reclaim(space: number): void {
    this.#core.memory.words[TABLE.DEAD_SPACES]! &= ~(1 << space)
  }

  /** Removes all entries of a table of one thread at once, and tells nobody: neither of keys nor of objects. */
  clearAtOnce(): void {
    this.#core.forget()
  }

  /**
   * Removes all entries. At once, in a table of one thread where nobody listens to such removals and no entry refers to
   * an object; else stripe by stripe.
   */
  clear(reason: RemovalReason = 'delete'): void {
    if (!this.#core.shared && !this.#core.removals.wants(reason) && this.#core.memory.words[TABLE.EXTRA_UNITS] === 0) {
      this.clearAtOnce()
      return
    }
    for (const stripe of this.#core.stripes) {
      this.#core.enter(stripe)
      try {
        for (let slot = 0; slot < stripe.usedSlots; slot++) {
          if (stripe.itemOf(slot) > 0) this.#core.remove(stripe, slot, reason)
        }
      } finally {
        this.#core.exit(stripe)
      }
    }
  }
}
