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
  readonly member: number
}

const SWEEP_SLOTS = 8
/** A stripe below this part of the mean looks for victims elsewhere. */
const FAIR_SHARE = 0.9

export class ArenaRoom {
  readonly #keeper: RoomKeeper
  readonly #words: Int32Array

  constructor(keeper: RoomKeeper) {
    this.#keeper = keeper
    this.#words = keeper.memory.words
  }

  /** Frees something. `false` when there is nothing to free, or it is all in the hands of other threads. */
  make(own: ArenaStripe, hash: number, units: number): boolean {
    return this.#compact(own) || this.evict(own, hash, units)
  }

  /** Lets one item go (or some that expired): of the own stripe, unless others hold more than their share. */
  evict(own: ArenaStripe, hash: number, units: number): boolean {
    const fair = (this.#words[TABLE.LIVE_UNITS]! / this.#keeper.stripes.length) * FAIR_SHARE
    if (own.count > 0 && own.units + units >= fair) return this.evictFrom(own, hash, units)
    return (
      this.#evictElsewhere(own, hash, units, fair) ||
      this.evictFrom(own, hash, units) ||
      this.#evictElsewhere(own, hash, units, 0)
    )
  }

  /** Lets an item of this stripe go. */
  evictFrom(stripe: ArenaStripe, hash: number, units: number): boolean {
    if (stripe.count === 0) return false
    if (stripe.expiring > 0 && this.#keeper.sweep(stripe, SWEEP_SLOTS) > 0) return true
    const slot = stripe.policy.evict(remix(hash), units)
    if (slot < 0) return false
    this.#keeper.evicted(stripe, slot)
    return true
  }

  /** A larger home for a stripe, or one with a column of expiries. `false` when there is no room for it. */
  grow(own: ArenaStripe, expiries: boolean): boolean {
    if (own.grow(expiries, 0)) return true
    const { pages, member } = this.#keeper
    const count = own.pagesToGrow(expiries)
    const first = pages.drainRun(count, member)
    if (first === 0) return false
    if (trap.at !== undefined) trap.at('drain')
    let emptied = true
    for (let page = first; emptied && page < first + count; page++) emptied = this.#emptyPage(page, own, true)
    const grown = emptied && own.grow(expiries, first)
    if (!grown) pages.undrain(first, count)
    return grown
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
