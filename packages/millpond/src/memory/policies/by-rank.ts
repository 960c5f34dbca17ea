import type { Policy, PolicyEntries, PolicyFactory, PolicyShape } from '../policy.ts'
import { HEADS, SlotLists } from './slot-lists.ts'

/** Who leaves first: what was not used for the longest time, what is used least often, what expires soonest, anybody. */
export type Rank = 'use' | 'frequency' | 'expiry' | 'random'

/**
 * The simple policies that other servers have, by name: one rank, among all entries or only among those that expire.
 *
 * Entries with and without an expiry are in lists of their own. By use, a list is in order, and its cold end leaves. By
 * any other rank some entries at the cold end are compared, one leaves and the others go round to the hot end, so
 * that all are looked at in turn: sampling without a random number, and without the same entry twice.
 */
class ByRank extends SlotLists {
  readonly #rank: Rank
  readonly #expiringOnly: boolean
  readonly #entries: PolicyEntries | undefined

  constructor(rank: Rank, expiringOnly: boolean, shape: PolicyShape, memory: ArrayBufferLike, byteOffset: number) {
    super(shape, memory, byteOffset)
    this.#rank = rank
    this.#expiringOnly = expiringOnly
    this.#entries = shape.entries
  }

  insert(slot: number, hash: number, weight: number, expires = false): void {
    this.enter(expires && this.#expiringOnly ? EXPIRING : LASTING, slot, hash, weight, 0)
  }

  hit(slot: number): void {
    if (this.#rank !== 'use') return
    const place = slot + HEADS
    this.refresh(place, this.listOf(place))
  }

  expires(slot: number, expires: boolean): void {
    if (!this.#expiringOnly) return
    const place = slot + HEADS
    this.unlink(place)
    this.link(expires ? EXPIRING : LASTING, place, 0)
  }

  evict(): number {
    const list = this.#expiringOnly ? EXPIRING : LASTING
    if (this.count(list) === 0) return -1
    if (this.#rank !== 'use') this.#bringLowest(list)
    return this.leave(this.last(list))
  }

  /** Compares entries at the cold end, and puts the one that leaves last. */
  #bringLowest(list: number): void {
    let left = this.#rank === 'random' ? this.#chance() : Math.min(SAMPLE, this.count(list)) - 1
    for (; left > 0; left--) {
      const last = this.last(list)
      const before = this.links[last * 4]!
      // Whichever of the two stays longer goes round.
      this.refresh(this.#rank === 'random' || this.#rankOf(before) < this.#rankOf(last) ? last : before, list)
    }
  }

  #rankOf(place: number): number {
    const slot = place - HEADS
    if (place < HEADS || this.#entries === undefined) return Number.POSITIVE_INFINITY
    return this.#rank === 'expiry' ? this.#entries.expiresAtMs(slot) : this.#entries.frequency(slot)
  }

  #chance(): number {
    this.state[CHANCE] = Math.imul(this.state[CHANCE]!, 1664525) + 1013904223
    return this.state[CHANCE]! >>> 28
  }
}

/** A policy that lets entries go by one rank: of all entries, or only of those that have an expiry. 16 bytes a slot. */
export function byRank(name: string, rank: Rank, among: 'all' | 'expiring'): PolicyFactory {
  const expiringOnly = among === 'expiring'
  return {
    name,
    sparing: expiringOnly,
    bytes: (shape) => SlotLists.bytes(shape),
    create: (shape, memory, byteOffset): Policy => new ByRank(rank, expiringOnly, shape, memory, byteOffset),
  }
}

/** Lists, from hot to cold. */
const LASTING = 0
const EXPIRING = 1
const SAMPLE = 16
/** Word of state. */
const CHANCE = 0
