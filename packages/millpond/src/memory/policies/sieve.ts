import type { PolicyFactory } from '../policy.ts'
import { HEADS, SlotLists } from './slot-lists.ts'

/**
 * SIEVE: entries stay in the order in which they came; a hand walks from old to new, spares what was used since it last
 * came by, and evicts the first that was not. A hit writes one bit. Simple, fast and good on the web; weak on loops and block storage.
 *
 * Zhang, Yang, Yue, Vigfusson and Rashmi, "SIEVE is Simpler than LRU", NSDI 2024.
 */
class Sieve extends SlotLists {
  insert(slot: number, hash: number, weight: number): void {
    this.enter(ALL, slot, hash, weight, 0)
  }

  hit(slot: number): void {
    this.links[(slot + HEADS) * 4 + 3]! |= USED
  }

  override remove(slot: number): void {
    const place = slot + HEADS
    if (this.state[HAND] === place) this.state[HAND] = this.links[place * 4]!
    super.remove(slot)
  }

  override clear(): void {
    super.clear()
    this.state[HAND] = ALL
  }

  evict(): number {
    if (this.count(ALL) === 0) return -1
    const links = this.links
    let place = this.state[HAND]!
    if (place === ALL) place = this.last(ALL)
    while ((links[place * 4 + 3]! & USED) !== 0) {
      links[place * 4 + 3]! &= ~USED
      place = links[place * 4]!
      if (place === ALL) place = this.last(ALL)
    }
    this.state[HAND] = links[place * 4]!
    return this.leave(place)
  }
}

/** SIEVE. 16 bytes a slot. */
export const sieve: PolicyFactory = {
  name: 'sieve',
  bytes: (shape) => SlotLists.bytes(shape),
  create: (shape, memory, byteOffset) => new Sieve(shape, memory, byteOffset),
}

const ALL = 0
const USED = 4
/** Word of state: where the hand stands; the list's head when it begins anew. */
const HAND = 0
