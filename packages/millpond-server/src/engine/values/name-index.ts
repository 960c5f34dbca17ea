/** Finds the places of names in an array, by their hashes. */
import { hashBytes, hashText } from './name-hash.ts'

/** Up to so many names are looked through one by one. */
const FEW = 8
/** Up to this length names are compared with bytes one by one; longer ones as strings. */
const SHORT = 48
/** Fewer slots are not worth giving back. */
const SLOTS_MIN = 64
const NONE = new Int32Array(0)

/**
 * Open addressing with linear probing. A slot is two numbers beside each other, a hash and a place plus 1 (0: free), so that a
 * look-up goes to the names' own memory only when the hashes agree. Half of the slots at most are taken. A removal moves up what
 * follows, so there are no tombstones. Growth copies slots in their order: each goes near where it was, in either half.
 */
export class NameIndex {
  readonly #names: readonly string[]
  #slots: Int32Array = NONE
  /** Number of slots less 1; 0: names are few, and there are none. */
  #mask = 0

  /** @param names the array, which the owner changes */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  /** The place of a name; -1: it is not there. */
  find(name: string): number {
    if (this.#mask === 0) return this.#names.indexOf(name)
    const hash = hashText(name)
    const slots = this.#slots
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = slots[slot * 2 + 1]! - 1
      if (place === -1 || (slots[slot * 2] === hash && this.#names[place] === name)) return place
    }
  }

  /** The place of a name that lies in bytes; -1: it is not there. */
  findBytes(bytes: Buffer, start: number, end: number): number {
    if (this.#mask === 0) return this.#findAmongFew(bytes, start, end)
    const hash = hashBytes(bytes, start, end)
    const slots = this.#slots
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = slots[slot * 2 + 1]! - 1
      if (place === -1 || (slots[slot * 2] === hash && isName(this.#names[place]!, bytes, start, end))) return place
    }
  }

  /** The last name is new. */
  added(): void {
    const count = this.#names.length
    if (count <= FEW) return
    if (count * 2 > this.#mask) this.#resize(count)
    if (this.#mask > 0) this.#take(hashText(this.#names[count - 1]!), count)
  }

  /** The name at a place is about to leave: `shifting`, those behind it move up; else the last takes its place. */
  leaves(place: number, shifting: boolean): void {
    if (this.#mask === 0) return
    const last = this.#names.length - 1
    this.#free(this.#slotOf(place))
    if (shifting) this.#shift(place + 1)
    else if (place !== last) this.#slots[this.#slotOf(last) * 2 + 1] = place + 1
    if (last <= FEW) this.#drop()
    else if (this.#mask >= SLOTS_MIN && last * 16 < this.#mask) this.#shrink()
  }

  #findAmongFew(bytes: Buffer, start: number, end: number): number {
    for (let place = 0; place < this.#names.length; place++) {
      if (isName(this.#names[place]!, bytes, start, end)) return place
    }
    return -1
  }

  /** Makes room for `count` names, of which the last is not yet in it. */
  #resize(count: number): void {
    const before = this.#slots
    this.#allocate(count)
    if (before.length === 0) for (let at = 0; at < count - 1; at++) this.#take(hashText(this.#names[at]!), at + 1)
    else this.#copy(before)
  }

  #shrink(): void {
    const before = this.#slots
    this.#allocate(this.#names.length)
    this.#copy(before)
  }

  #allocate(count: number): void {
    let slots = SLOTS_MIN
    while (slots < count * 4) slots *= 2
    this.#slots = new Int32Array(slots * 2)
    this.#mask = slots - 1
  }

  #copy(before: Int32Array): void {
    for (let at = 0; at < before.length; at += 2) if (before[at + 1] !== 0) this.#take(before[at]!, before[at + 1]!)
  }

  #drop(): void {
    this.#slots = NONE
    this.#mask = 0
  }

  #take(hash: number, tag: number): void {
    const slots = this.#slots
    let slot = hash & this.#mask
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & this.#mask
    slots[slot * 2] = hash
    slots[slot * 2 + 1] = tag
  }

  #slotOf(place: number): number {
    let slot = hashText(this.#names[place]!) & this.#mask
    while (this.#slots[slot * 2 + 1] !== place + 1) slot = (slot + 1) & this.#mask
    return slot
  }

  /** Frees a slot, and fills it with one behind it that would no longer be found, and so on. */
  #free(slot: number): void {
    const slots = this.#slots
    const mask = this.#mask
    let free = slot
    for (let next = (free + 1) & mask; slots[next * 2 + 1] !== 0; next = (next + 1) & mask) {
      const home = slots[next * 2]! & mask
      if (((next - home) & mask) < ((next - free) & mask)) continue
      slots[free * 2] = slots[next * 2]!
      slots[free * 2 + 1] = slots[next * 2 + 1]!
      free = next
    }
    slots[free * 2 + 1] = 0
  }

  /** Names from a place on move up by one. */
  #shift(from: number): void {
    const slots = this.#slots
    for (let at = 1; at < slots.length; at += 2) if (slots[at]! > from) slots[at] = slots[at]! - 1
  }
}

function isName(name: string, bytes: Buffer, start: number, end: number): boolean {
  const { length } = name
  if (length !== end - start) return false
  if (length > SHORT) return bytes.toString('latin1', start, end) === name
  for (let at = 0; at < length; at++) if (name.charCodeAt(at) !== bytes[start + at]) return false
  return true
}
