/** A part of an index of names: slots of hashes and places. */
const SLOTS_MIN = 64

/**
 * Open addressing with linear probing. A slot is two numbers beside each other, a hash and a place plus 1 (0: free), so that a
 * look-up goes to the names' own memory only when the hashes agree. Half of the slots at most are taken. A removal moves up what
 * follows, so there are no tombstones. Growth copies slots in their order: each goes near where it was, in either half.
 */
export class NameSlots {
  /** How many bits of the directory all its names have in common: see `NameIndex`. */
  depth: number
  slots: Int32Array
  /** Number of slots less 1. */
  mask: number
  count = 0
  readonly #fill: number

  /** @param fill how many of 1000 slots may be taken, at most 500 */
  constructor(names: number, depth = 0, fill = 500) {
    this.depth = depth
    this.#fill = fill
    this.mask = slotsFor(names) - 1
    this.slots = new Int32Array((this.mask + 1) * 2)
  }

  get isFull(): boolean {
    return this.count * 1000 > this.mask * this.#fill
  }

  get isSparse(): boolean {
    return this.mask >= SLOTS_MIN && this.count * 16 < this.mask
  }

  /** Takes as many slots as so many names need. */
  resize(names: number): void {
    const before = this.slots
    this.mask = slotsFor(names) - 1
    this.slots = new Int32Array((this.mask + 1) * 2)
    this.count = 0
    this.take(before)
  }

  /** Adds what stands in other slots. */
  take(slots: Int32Array): void {
    for (let at = 0; at < slots.length; at += 2) if (slots[at + 1] !== 0) this.add(slots[at]!, slots[at + 1]! - 1)
  }

  add(hash: number, place: number): void {
    const { slots } = this
    let slot = hash & this.mask
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & this.mask
    slots[slot * 2] = hash
    slots[slot * 2 + 1] = place + 1
    this.count++
  }

  /** The name that is at a place is at another one. */
  move(hash: number, from: number, to: number): void {
    this.slots[this.#slotOf(hash, from) * 2 + 1] = to + 1
  }

  /** Names behind a place move up by one. */
  shift(place: number): void {
    const { slots } = this
    for (let at = 1; at < slots.length; at += 2) if (slots[at]! > place + 1) slots[at] = slots[at]! - 1
  }

  /** Frees a slot, and fills it with one behind it that would no longer be found, and so on. */
  remove(hash: number, place: number): void {
    const { slots, mask } = this
    let free = this.#slotOf(hash, place)
    for (let next = (free + 1) & mask; slots[next * 2 + 1] !== 0; next = (next + 1) & mask) {
      const home = slots[next * 2]! & mask
      if (((next - home) & mask) < ((next - free) & mask)) continue
      slots[free * 2] = slots[next * 2]!
      slots[free * 2 + 1] = slots[next * 2 + 1]!
      free = next
    }
    slots[free * 2 + 1] = 0
    this.count--
  }

  #slotOf(hash: number, place: number): number {
    let slot = hash & this.mask
    while (this.slots[slot * 2 + 1] !== place + 1) slot = (slot + 1) & this.mask
    return slot
  }
}

function slotsFor(names: number): number {
  let slots = SLOTS_MIN
  while (slots < names * 4) slots *= 2
  return slots
}
