import { powerOfTwo } from './frequency-sketch.ts'

/**
 * From a key to its slot: a table of pairs, hash and slot + 1, with open addressing and linear probing.
 *
 * It is at least a third empty and a delete closes the gap that it leaves (Knuth, algorithm 6.4R), so there are no tombstones to
 * sweep and churn never makes it rehash, unlike `Map`. The hash is compared first: a key that is not there is
 * hardly ever looked at.
 */
export class HashIndex {
  #pairs: Int32Array
  #mask: number

  constructor(slots: number) {
    const places = powerOfTwo(slots * 1.5)
    this.#pairs = new Int32Array(places * 2)
    this.#mask = places - 1
  }

  /** The slot of a key, or -1. @param items keys at even places: key of slot n at 2n. */
  find(hash: number, key: string, items: readonly unknown[]): number {
    const pairs = this.#pairs
    const mask = this.#mask
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = pairs[at * 2 + 1]! - 1
      if (slot < 0) return -1
      if (pairs[at * 2] === hash && items[slot * 2] === key) return slot
    }
  }

  /** Of a key that is not there yet. */
  add(hash: number, slot: number): void {
    const pairs = this.#pairs
    const mask = this.#mask
    let at = hash & mask
    while (pairs[at * 2 + 1] !== 0) at = (at + 1) & mask
    pairs[at * 2] = hash
    pairs[at * 2 + 1] = slot + 1
  }

  /** Of a key that is there. */
  remove(hash: number, slot: number): void {
    const pairs = this.#pairs
    const mask = this.#mask
    let gap = hash & mask
    while (pairs[gap * 2 + 1] !== slot + 1) gap = (gap + 1) & mask
    for (let at = (gap + 1) & mask; pairs[at * 2 + 1] !== 0; at = (at + 1) & mask) {
      // What hashes to a place between the gap and itself must stay reachable where it is.
      if (((at - pairs[at * 2]!) & mask) < ((at - gap) & mask)) continue
      pairs[gap * 2] = pairs[at * 2]!
      pairs[gap * 2 + 1] = pairs[at * 2 + 1]!
      gap = at
    }
    pairs[gap * 2 + 1] = 0
  }

  /** Makes room for so many slots. */
  grow(slots: number): void {
    const old = this.#pairs
    const larger = new HashIndex(slots)
    this.#pairs = larger.#pairs
    this.#mask = larger.#mask
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) this.add(old[at]!, old[at + 1]! - 1)
  }

  clear(): void {
    this.#pairs.fill(0)
  }
}
