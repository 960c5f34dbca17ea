import type { Policy, PolicyShape } from '../policy.ts'

/**
 * Doubly linked lists of slots in typed arrays: what all policies are made of. A slot is in one list or in none.
 *
 * Memory: 64 words for counters, then 4 words for each list head and slot (previous, next, hash, and one for the
 * policy's own use: a cache line holds all that is known of a slot), then the weights, if slots have any.
 * A list is a ring through its head, so that linking needs no special case; heads have the first places.
 */
export abstract class SlotLists implements Policy {
  /** previous, next, hash, meta of each place: a head, or `HEADS` + slot. */
  protected readonly links: Int32Array
  /** Counters of the policy: words 0 to 39 are free for it. */
  protected readonly state: Int32Array
  readonly #weights: Int32Array | undefined
  readonly #sums: Float64Array

  static bytes({ slots, weighted }: PolicyShape): number {
    return HEADER_BYTES + (slots + HEADS) * 16 + (weighted ? pad(slots * 4) : 0)
  }

  constructor(shape: PolicyShape, memory: ArrayBufferLike, byteOffset: number) {
    const { slots, weighted } = shape
    this.state = new Int32Array(memory, byteOffset, HEADER_WORDS)
    this.#sums = new Float64Array(memory, byteOffset + HEADER_BYTES - 8 * HEADS, HEADS)
    this.links = new Int32Array(memory, byteOffset + HEADER_BYTES, (slots + HEADS) * 4)
    if (weighted) this.#weights = new Int32Array(memory, byteOffset + HEADER_BYTES + (slots + HEADS) * 16, slots)
    if (this.state[READY] === 0) this.clear()
  }

  abstract insert(slot: number, hash: number, weight: number): void
  abstract hit(slot: number): void
  abstract evict(hash: number, weight: number): number

  get weight(): number {
    return this.#sums[0]! + this.#sums[1]! + this.#sums[2]!
  }

  weightOf(slot: number): number {
    return this.#weights ? this.#weights[slot]! : 1
  }

  hashOf(slot: number): number {
    return this.links[(slot + HEADS) * 4 + 2]!
  }

  touch(slot: number): number {
    return this.links[(slot + HEADS) * 4]!
  }

  reweigh(slot: number, weight: number): void {
    const place = slot + HEADS
    this.#sums[this.listOf(place)]! += weight - this.weightOf(slot)
    this.#weights![slot] = weight
  }

  remove(slot: number): void {
    this.unlink(slot + HEADS)
  }

  colder(slot: number): number {
    let place = this.links[slot < 0 ? 1 : (slot + HEADS) * 4 + 1]!
    while (place < HEADS) {
      if (place === HEADS - 1) return -1
      place = this.links[(place + 1) * 4 + 1]!
    }
    return place - HEADS
  }

  hotter(slot: number): number {
    let place = this.links[slot < 0 ? (HEADS - 1) * 4 : (slot + HEADS) * 4]!
    while (place < HEADS) {
      if (place === 0) return -1
      place = this.links[(place - 1) * 4]!
    }
    return place - HEADS
  }

  clear(): void {
    for (let list = 0; list < HEADS; list++) {
      this.links[list * 4] = this.links[list * 4 + 1] = list
      this.#sums[list] = this.state[COUNTS + list] = 0
    }
    this.state[READY] = 1
  }

  adopt(smaller: this): void {
    this.state.set(smaller.state)
    this.#sums.set(smaller.#sums)
    this.links.set(smaller.links)
    if (this.#weights) this.#weights.set(smaller.#weights!)
  }

  /** Which list a place is in: by convention the two lowest bits of its meta word. */
  protected listOf(place: number): number {
    return this.links[place * 4 + 3]! & 3
  }

  /** How many slots are in a list. */
  protected count(list: number): number {
    return this.state[COUNTS + list]!
  }

  /** What the slots of a list weigh together. */
  protected sum(list: number): number {
    return this.#sums[list]!
  }

  /** Takes a place out of its list and returns its slot. */
  protected leave(place: number): number {
    this.unlink(place)
    return place - HEADS
  }

  /** The place at the cold end of a list; the head itself when it is empty. */
  protected last(list: number): number {
    return this.links[list * 4]!
  }

  /** A slot that was in no list enters one at its hot end. */
  protected enter(list: number, slot: number, hash: number, weight: number, meta: number): void {
    if (this.#weights) this.#weights[slot] = weight
    const place = slot + HEADS
    this.links[place * 4 + 2] = hash
    this.link(list, place, meta)
  }

  /** Puts a place at the hot end of a list. `meta` without its two lowest bits. */
  protected link(list: number, place: number, meta: number): void {
    const links = this.links
    const at = place * 4
    const head = list * 4
    const first = links[head + 1]!
    links[at] = list
    links[at + 1] = first
    links[at + 3] = meta | list
    links[first * 4] = place
    links[head + 1] = place
    this.state[COUNTS + list]!++
    this.#sums[list]! += this.#weights ? this.#weights[place - HEADS]! : 1
  }

  protected unlink(place: number): void {
    const links = this.links
    const at = place * 4
    const previous = links[at]!
    const next = links[at + 1]!
    links[previous * 4 + 1] = next
    links[next * 4] = previous
    const list = links[at + 3]! & 3
    this.state[COUNTS + list]!--
    this.#sums[list]! -= this.#weights ? this.#weights[place - HEADS]! : 1
  }

  /** Moves a place to the hot end of the list that it is in. */
  protected refresh(place: number, list: number): void {
    const links = this.links
    const at = place * 4
    const head = list * 4
    const previous = links[at]!
    const next = links[at + 1]!
    links[previous * 4 + 1] = next
    links[next * 4] = previous
    const first = links[head + 1]!
    links[at] = list
    links[at + 1] = first
    links[first * 4] = place
    links[head + 1] = place
  }
}

/** List heads, and so the first place of a slot. Lists are walked in their order, from hot to cold. */
export const HEADS = 3
const HEADER_WORDS = 64
const HEADER_BYTES = HEADER_WORDS * 4
/** Where the header keeps the length of each list, and that it is in use. The sums of weights fill its end. */
const COUNTS = 40
const READY = 43

/** Bytes, rounded up to a multiple of 8. */
export function pad(bytes: number): number {
  return (bytes + 7) & ~7
}
