import type { PolicyFactory } from '../policy.ts'
import { HEADS, SlotLists } from './slot-lists.ts'

/** Evicts what was not used for the longest time. For comparison, and for access patterns of pure recency. */
class Lru extends SlotLists {
  insert(slot: number, hash: number, weight: number): void {
    this.enter(ALL, slot, hash, weight, 0)
  }

  hit(slot: number): void {
    this.refresh(slot + HEADS, ALL)
  }

  evict(): number {
    return this.count(ALL) === 0 ? -1 : this.leave(this.last(ALL))
  }
}

/** Least recently used. 16 bytes a slot. */
export const lru: PolicyFactory = {
  name: 'lru',
  bytes: (shape) => SlotLists.bytes(shape),
  create: (shape, memory, byteOffset) => new Lru(shape, memory, byteOffset),
}

const ALL = 0
