/** Finds the places of names in a sequence, by their hashes. */
import { hashBytes, hashText } from './name-hash.ts'
import { NameSlots } from './name-slots.ts'
import type { Sequence } from './sequence.ts'

/** Up to so many names are looked through one by one. */
const FEW = 8
/** Up to this length names are compared with bytes one by one; longer ones as strings. */
const SHORT = 48
/** A part with so many slots is split in two where it would grow. */
const SLOTS_MAX = 2 ** 16
/** The directory goes by the bits of a hash above those that a part goes by. */
const HIGH = 16
const DEPTH_MAX = 32 - HIGH
/** Parts have names in equal numbers. So that they are not split all at once, they are full at different counts. */
const FILL_LEAST = 300
const FILL_MOST = 500
/** With fewer names than this one part is enough. */
const ONE_PART = SLOTS_MAX / 16

/**
 * Extendible hashing (Fagin, Nievergelt, Pippenger, Strong, "Extendible hashing", TODS 1979): a directory by some bits of the
 * hash, of parts that each are a small table of their own. A part that is full grows, or is split in two, whose names differ in one
 * more bit: so however many names there are, at most a part is copied at a time, and nobody waits for long.
 */
export class NameIndex {
  readonly #names: Sequence<string>
  /** Empty: names are few. A part that has not been split as often as others stands in several places. */
  #parts: NameSlots[] = []
  #mask = 0

  /** @param names which the owner changes */
  constructor(names: Sequence<string>) {
    this.#names = names
  }

  /** The place of a name; -1: it is not there. */
  find(name: string): number {
    if (this.#parts.length === 0) return this.#names.placeOf(name)
    const hash = hashText(name)
    const { slots, mask } = this.#parts[(hash >>> HIGH) & this.#mask]!
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = slots[slot * 2 + 1]! - 1
      if (place === -1 || (slots[slot * 2] === hash && this.#names.at(place) === name)) return place
    }
  }

  /** The place of a name that lies in bytes; -1: it is not there. */
  findBytes(bytes: Buffer, start: number, end: number): number {
    if (this.#parts.length === 0) return this.#findAmongFew(bytes, start, end)
    const hash = hashBytes(bytes, start, end)
    const { slots, mask } = this.#parts[(hash >>> HIGH) & this.#mask]!
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = slots[slot * 2 + 1]! - 1
      if (place === -1 || (slots[slot * 2] === hash && isName(this.#names.at(place), bytes, start, end))) return place
    }
  }

  /** A word of the slot that a look for this hash begins with: reading it fetches the slot. */
  touch(hash: number): number {
    if (this.#parts.length === 0) return 0
    const { slots, mask } = this.#partOf(hash)
    return slots[(hash & mask) * 2]!
  }

  /** Most likely the place of the name with this hash; -1: it is not known. */
  guess(hash: number): number {
    if (this.#parts.length === 0) return -1
    const { slots, mask } = this.#partOf(hash)
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const tag = slots[slot * 2 + 1]!
      if (tag === 0 || slots[slot * 2] === hash) return tag - 1
    }
  }

  /** The last name is new. */
  added(): void {
    const last = this.#names.length - 1
    if (last < FEW) return
    if (this.#parts.length === 0) this.#begin()
    else {
      const hash = hashText(this.#names.at(last))
      const part = this.#partOf(hash)
      part.add(hash, last)
      if (part.isFull) this.#relieve(part, hash)
    }
  }

  /** The name at a place is about to leave: `shifting`, those behind it move up; else the last takes its place. */
  leaves(place: number, shifting: boolean): void {
    if (this.#parts.length === 0) return
    const last = this.#names.length - 1
    const hash = hashText(this.#names.at(place))
    const part = this.#partOf(hash)
    part.remove(hash, place)
    if (shifting) for (const each of this.#all()) each.shift(place)
    else if (place !== last) this.#moveLast(last, place)
    if (last <= FEW) this.#use([])
    else if (this.#parts.length > 1 && last < ONE_PART) this.#unite(last)
    else if (part.isSparse) part.resize(part.count)
  }

  #findAmongFew(bytes: Buffer, start: number, end: number): number {
    for (let place = 0; place < this.#names.length; place++) {
      if (isName(this.#names.at(place), bytes, start, end)) return place
    }
    return -1
  }

  #begin(): void {
    const part = new NameSlots(this.#names.length)
    for (let place = 0; place < this.#names.length; place++) part.add(hashText(this.#names.at(place)), place)
    this.#use([part])
  }

  #use(parts: NameSlots[]): void {
    this.#parts = parts
    this.#mask = parts.length - 1
  }

  #partOf(hash: number): NameSlots {
    return this.#parts[(hash >>> HIGH) & this.#mask]!
  }

  /** Each part once: it stands first where the bits of the directory beyond its own are 0. */
  *#all(): Iterable<NameSlots> {
    for (const [at, part] of this.#parts.entries()) if (at < 2 ** part.depth) yield part
  }

  #moveLast(last: number, place: number): void {
    const hash = hashText(this.#names.at(last))
    this.#partOf(hash).move(hash, last, place)
  }

  #relieve(part: NameSlots, hash: number): void {
    if (part.mask + 1 < SLOTS_MAX || part.depth === DEPTH_MAX) part.resize(part.count)
    else this.#split(part, (hash >>> HIGH) & this.#mask)
  }

  /** Two parts in place of one. */
  #split(part: NameSlots, at: number): void {
    if (2 ** part.depth === this.#parts.length) this.#use([...this.#parts, ...this.#parts])
    const bit = 2 ** part.depth
    const depth = part.depth + 1
    const halves = [0, 1].map(() => new NameSlots(part.count / 2, depth, nextFill())) as [NameSlots, NameSlots]
    const { slots } = part
    for (let slot = 0; slot < slots.length; slot += 2) {
      const tag = slots[slot + 1]!
      if (tag !== 0) halves[((slots[slot]! >>> HIGH) & bit) === 0 ? 0 : 1].add(slots[slot]!, tag - 1)
    }
    for (let place = at & (bit - 1); place < this.#parts.length; place += bit) {
      this.#parts[place] = halves[(place & bit) === 0 ? 0 : 1]
    }
  }

  #unite(count: number): void {
    const one = new NameSlots(count)
    for (const part of this.#all()) one.take(part.slots)
    this.#use([one])
  }
}

let fill = 0

/** Spread evenly, by the golden ratio. */
function nextFill(): number {
  fill = (fill + 0.618034) % 1
  return FILL_LEAST + (FILL_MOST - FILL_LEAST) * fill
}

function isName(name: string, bytes: Buffer, start: number, end: number): boolean {
  const { length } = name
  if (length !== end - start) return false
  if (length > SHORT) return bytes.toString('latin1', start, end) === name
  for (let at = 0; at < length; at++) if (name.charCodeAt(at) !== bytes[start + at]) return false
  return true
}
