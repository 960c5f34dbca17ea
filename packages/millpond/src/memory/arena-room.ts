/**
 * How an arena makes room, at the moment that something needs it: a page that is mostly empty is emptied by moving what is left
 * in it, and otherwise the policy of some stripe lets an item go. Nothing is done ahead of need, so the work for a set
 * is in proportion to its bytes and does not depend on how much the arena holds.
 *
 * The caller holds the lock of its own stripe. Locks of others are only ever tried, so there is nothing to deadlock on.
 */
import { remix } from './arena-hash.ts'
import { CHUNK, KIND, PAGE, TABLE } from './arena-layout.ts'
import type { ArenaMemory } from './arena-memory.ts'
import type { ArenaPages } from './arena-pages.ts'
import type { ArenaStripe } from './arena-stripe.ts'
import { trap } from './arena-trap.ts'

/** What the table does for the search for room. */
export interface RoomKeeper {
  readonly memory: ArenaMemory
  readonly pages: ArenaPages
  readonly stripes: readonly ArenaStripe[]
  /** Enters a stripe if its lock is free. */
  tryEnter(stripe: ArenaStripe): boolean
  leave(stripe: ArenaStripe): void
  /** Removes the item of a slot that the policy has let go. */
  evicted(stripe: ArenaStripe, slot: number): void
  /** Removes an item that cannot stay where it is. */
  displaced(stripe: ArenaStripe, slot: number): void
  /** Removes expired items among the next slots of a stripe. Returns how many. */
  sweep(stripe: ArenaStripe, slots: number): number
  /** The policy keeps some entries whatever happens: then none is removed because it lies in the way either. */
  readonly sparing: boolean
  /** Gives pages out again that a thread was emptying when it ended. */
  undrainDead(): void
  readonly member: number
}

/** A run of pages that is being emptied for the new home of a stripe. */
interface Clearing {
  readonly stripe: ArenaStripe
  readonly shape: number
  readonly first: number
  readonly count: number
  /** The next chunk. */
  ref: number
}

const SWEEP_SLOTS = 8
/** Chunks that a set moves for a home that waits. */
const CHUNKS_A_SET = 16
/** Items that a set lets go for the pages of a larger home, where the limit is below what the arena has. */
const EVICTIONS_A_SET = 4
/** A stripe below this part of the mean looks for victims elsewhere. */
const FAIR_SHARE = 0.9

export class ArenaRoom {
  readonly #keeper: RoomKeeper
  readonly #words: Int32Array
  #clearing: Clearing | undefined

  constructor(keeper: RoomKeeper) {
    this.#keeper = keeper
    this.#words = keeper.memory.words
  }

  /** Frees something. `false` when there is nothing to free, or it is all in the hands of other threads. */
  make(own: ArenaStripe, hash: number, units: number): boolean {
    return (this.#keeper.pages.holds(units) && this.#compact(own)) || this.evict(own, hash, units)
  }

  /** Lets one item go (or some that expired): of the own stripe, unless others hold more than their share. */
  evict(own: ArenaStripe, hash: number, units: number): boolean {
    const fair = (this.#words[TABLE.LIVE_UNITS]! / this.#keeper.stripes.length) * FAIR_SHARE
    if (own.count > 0 && own.units + units >= fair && this.evictFrom(own, hash, units)) return true
    return (
      this.#evictElsewhere(own, hash, units, fair) ||
      this.evictFrom(own, hash, units) ||
      this.#evictElsewhere(own, hash, units, 0)
    )
  }

  /** Lets an item of this stripe go. */
  evictFrom(stripe: ArenaStripe, hash: number, units: number): boolean {
    if (stripe.count === 0) return false
    const leaving = stripe.expiring > 0 || this.#words[TABLE.DEAD_SPACES] !== 0
    if (leaving && this.#keeper.sweep(stripe, SWEEP_SLOTS) > 0) return true
    const slot = stripe.policy.evict(remix(hash), units)
    if (slot < 0) return false
    this.#keeper.evicted(stripe, slot)
    return true
  }

  /** A home of another shape for a stripe, now: what lies in the way is moved. `false` when there is no room for it. */
  rehome(own: ArenaStripe, shape: number): boolean {
    if (own.rehome(shape, 0)) return true
    const { pages, member } = this.#keeper
    const count = own.pagesOf(shape)
    if (!this.#fit(own, count, Number.POSITIVE_INFINITY)) return false
    if (own.rehome(shape, 0)) return true
    this.#keeper.undrainDead()
    const first = pages.drainRun(count, member)
    if (first === 0) return false
    if (trap.at !== undefined) trap.at('drain')
    const force = !this.#keeper.sparing
    let emptied = true
    for (let page = first; emptied && page < first + count; page++) emptied = this.#emptyPage(page, own, force)
    const moved = emptied && own.rehome(shape, first)
    if (!moved) pages.undrain(first, count)
    return moved
  }

  /**
   * The same without haste: where there is no free run of pages, the sets that follow empty one, a few chunks each, and the
   * stripe moves when that is done. `false`: not yet.
   */
  rehomeSoon(own: ArenaStripe, shape: number): boolean {
    if (own.rehome(shape, 0)) return true
    if (this.#clearing !== undefined) return false
    const { pages, member } = this.#keeper
    const count = own.pagesOf(shape)
    if (!this.#fit(own, count, EVICTIONS_A_SET)) return false
    if (own.rehome(shape, 0)) return true
    this.#keeper.undrainDead()
    const first = pages.drainRun(count, member)
    if (first === 0) return false
    if (trap.at !== undefined) trap.at('drain')
    this.#clearing = { stripe: own, shape, first, count, ref: first << this.#keeper.memory.layout.pageRefShift }
    return false
  }

  /** A small part of what is left to do, with each set: room for a home that waits, and homes that have become too large. */
  advance(own: ArenaStripe): void {
    if (this.#clearing !== undefined) this.#clear(this.#clearing, own)
    else if (this.#keeper.pages.full && this.#words[TABLE.KEEPS_SLOTS] === 0) {
      const shape = own.shrunkShape()
      if (shape !== 0) this.rehomeSoon(own, shape)
    }
  }

  /** Where the limit is below what the arena has: lets items go until so many pages more are within it. */
  #fit(own: ArenaStripe, count: number, evictions: number): boolean {
    const { pages, memory } = this.#keeper
    if (this.#words[TABLE.LIMIT_PAGES] === memory.layout.pages) return true
    for (let left = evictions; !pages.fitsHome(count); left--) if (left <= 0 || !this.make(own, 0, 0)) return false
    return true
  }

  /** Gives up what is half done: the table is emptied, or this thread leaves it. */
  abandon(): void {
    if (this.#clearing !== undefined) this.#keeper.pages.undrain(this.#clearing.first, this.#clearing.count)
    this.#clearing = undefined
  }

  #clear(clearing: Clearing, own: ArenaStripe): void {
    const { memory, pages } = this.#keeper
    const end = (clearing.first + clearing.count) << memory.layout.pageRefShift
    for (let left = CHUNKS_A_SET; left > 0; left--) {
      if (clearing.ref >= end) {
        this.#moveIn(clearing, own)
        return
      }
      const page = clearing.ref >>> memory.layout.pageRefShift
      const kind = this.#words[memory.pageWord(page) + PAGE.KIND]!
      const next = (page + 1) << memory.layout.pageRefShift
      const units = kind < KIND.CHUNKS ? 0 : memory.classes.sizes[kind - KIND.CHUNKS]! / 16
      if (units === 0 || !pages.hasUsed(clearing.ref)) {
        clearing.ref = next
        continue
      }
      const owned = this.#words[clearing.ref * 4 + CHUNK.OWNER] !== 0
      // A chunk that is in somebody's hands: the next set tries again. One that nobody may remove stays.
      if (owned && !this.#displace(clearing.ref, kind - KIND.CHUNKS, own, !this.#keeper.sparing)) {
        if (this.#keeper.sparing) this.abandon()
        return
      }
      clearing.ref = clearing.ref + units * 2 > next ? next : clearing.ref + units
    }
  }

  #moveIn(clearing: Clearing, own: ArenaStripe): void {
    const { stripe, shape, first, count } = clearing
    if (stripe !== own && !this.#keeper.tryEnter(stripe)) return
    // Since this began, the stripe may have filled up again, or got a column of expiries.
    const fits = stripe.count < Math.abs(shape) && (shape < 0 || !stripe.hasExpiries)
    if (!fits || !stripe.rehome(shape, first)) this.#keeper.pages.undrain(first, count)
    if (stripe !== own) this.#keeper.leave(stripe)
    this.#clearing = undefined
  }

  #evictElsewhere(own: ArenaStripe, hash: number, units: number, atLeast: number): boolean {
    const { stripes } = this.#keeper
    for (let tries = stripes.length; tries > 0; tries--) {
      const stripe = stripes[(this.#words[TABLE.HAND]!++ >>> 0) % stripes.length]!
      if (stripe === own || stripe.count === 0 || stripe.units < atLeast) continue
      if (!this.#keeper.tryEnter(stripe)) continue
      const evicted = this.evictFrom(stripe, hash, units)
      this.#keeper.leave(stripe)
      if (evicted) return true
    }
    return false
  }

  /** Empties a page of the class with the most free chunks into its other pages. */
  #compact(own: ArenaStripe): boolean {
    const { pages, member } = this.#keeper
    const classNumber = pages.slackClass()
    const page = classNumber < 0 ? 0 : pages.drainEmptiest(classNumber, member)
    if (page === 0) return false
    if (trap.at !== undefined) trap.at('drain')
    const emptied = this.#emptyPage(page, own, false)
    pages.undrain(page, 1)
    return emptied
  }

  /** Moves what a drained page holds. `force`: makes room for it, and removes what cannot be moved. */
  #emptyPage(page: number, own: ArenaStripe, force: boolean): boolean {
    const { memory } = this.#keeper
    const words = this.#words
    const at = memory.pageWord(page)
    const kind = words[at + PAGE.KIND]!
    if (kind < KIND.CHUNKS) return true
    const units = memory.classes.sizes[kind - KIND.CHUNKS]! / 16
    let ref = page << memory.layout.pageRefShift
    for (let left = words[at + PAGE.BUMP]!; left > 0; left--, ref += units) {
      if (words[ref * 4 + CHUNK.OWNER] !== 0 && !this.#displace(ref, kind - KIND.CHUNKS, own, force)) return false
    }
    return true
  }

  #displace(ref: number, classNumber: number, own: ArenaStripe, force: boolean): boolean {
    const { stripes, memory } = this.#keeper
    const owner = this.#words[ref * 4 + CHUNK.OWNER]!
    const stripe = stripes[(owner - 1) & (memory.layout.stripes - 1)]!
    if (stripe !== own && !this.#keeper.tryEnter(stripe)) return false
    // Only now that the stripe is ours does the owner hold still.
    const moved = this.#words[ref * 4 + CHUNK.OWNER] !== owner || stripe.move(ref, classNumber)
    const done = moved || (force && this.#moveByForce(stripe, ref, classNumber, own))
    if (stripe !== own) this.#keeper.leave(stripe)
    return done
  }

  /** Better that the policy chooses who leaves than that it is whoever lies here. */
  #moveByForce(stripe: ArenaStripe, ref: number, classNumber: number, own: ArenaStripe): boolean {
    const owner = this.#words[ref * 4 + CHUNK.OWNER]
    const evicted = this.evict(own, 0, this.#keeper.memory.classes.sizes[classNumber]! / 16)
    const gone = this.#words[ref * 4 + CHUNK.OWNER] !== owner
    return gone || (evicted && stripe.move(ref, classNumber)) || this.#remove(stripe, ref)
  }

  /** Removes the item that a chunk belongs to, unless it is one that is being written. */
  #remove(stripe: ArenaStripe, ref: number): boolean {
    const slot = stripe.slotOf(ref)
    if (stripe.itemOf(slot) <= 0 || !stripe.reaches(slot, ref)) return false
    this.#keeper.displaced(stripe, slot)
    return true
  }
}
