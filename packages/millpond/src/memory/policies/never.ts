import type { PolicyFactory } from '../policy.ts'
import { HEADS, SlotLists } from './slot-lists.ts'

/** Lets nothing go: when the table is full, newcomers are refused. Knows the order of use, for a policy that takes over. */
class Never extends SlotLists {
  insert(slot: number, hash: number, weight: number): void {
    this.enter(ALL, slot, hash, weight, 0)
  }

  hit(slot: number): void {
    this.refresh(slot + HEADS, ALL)
  }

  evict(): number {
    return -1
  }
}

/** No eviction: `set` returns `false` when there is no room, and what was there stays. 16 bytes a slot. */
export const never: PolicyFactory = {
  name: 'never',
  sparing: true,
  bytes: (shape) => SlotLists.bytes(shape),
  create: (shape, memory, byteOffset) => new Never(shape, memory, byteOffset),
}

const ALL = 0
