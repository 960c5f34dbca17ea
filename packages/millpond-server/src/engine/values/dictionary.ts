/** Things by name, for hashes, sets and sorted sets: in order of insertion, by chance, and in steps that survive changes. */
import { NameIndex } from './name-index.ts'
import { Sequence } from './sequence.ts'

/** What a name costs beside its bytes: the head of the string, its places in the arrays and in the index. */
const NAME_BYTES = 64
/** Up to so many keep their order when one leaves. */
const ORDERED = 512

/**
 * A map by byte strings that can also be asked by place, at random or from the end, while it changes.
 *
 * Implementation note. Names and values stand in sequences, and an index of hashes finds their places: bytes of a request are looked
 * up without making a string of them. When a name leaves a small dictionary those behind it move up, because small hashes are
 * told in order; in a large one the last takes its place. Either way names only ever move to lower places. Steps go
 * downwards: what stands below the cursor was not told yet, and can only move further down, so nothing that stays is
 * missed, though it may come twice.
 */
export class Dictionary<Value> {
  readonly #names = new Sequence<string>()
  readonly #values = new Sequence<Value>()
  readonly #index: NameIndex = new NameIndex(this.#names)
  #nameBytes = 0

  get size(): number {
    return this.#names.length
  }

  /** About how many bytes the names and their places take; not the values. */
  get weight(): number {
    return this.#nameBytes + this.#names.length * NAME_BYTES
  }

  /** Where a name stands, from 0 to below `size`; -1: it is not there. It says something until a name leaves. */
  placeOf(name: string): number {
    return this.#index.find(name)
  }

  /** As `placeOf`, of a name that lies in bytes. */
  placeOfBytes(bytes: Buffer, start: number, end: number): number {
    return this.#index.findBytes(bytes, start, end)
  }

  /** Reads where a look for a name with this hash begins: see `ElementsAhead`. */
  touchIndex(hash: number): number {
    return this.#index.touch(hash)
  }

  /** Most likely the place of the name with this hash; -1: it is not known. */
  guess(hash: number): number {
    return this.#index.guess(hash)
  }

  /** Reads the name and the value at a place. */
  touch(place: number): number {
    const value = this.#values.at(place)
    return this.#names.at(place).length + (typeof value === 'string' ? value.length : 0)
  }

  /** The name at a place: at a random place it is a random name. */
  nameAt(place: number): string {
    return this.#names.at(place)
  }

  valueAt(place: number): Value {
    return this.#values.at(place)
  }

  /** Puts another value in a place. */
  setAt(place: number, value: Value): void {
    this.#values.put(place, value)
  }

  get(name: string): Value | undefined {
    const place = this.#index.find(name)
    return place === -1 ? undefined : this.#values.at(place)
  }

  has(name: string): boolean {
    return this.#index.find(name) !== -1
  }

  /** Puts a value under a name. Returns whether the name is new. */
  set(name: string, value: Value): boolean {
    const place = this.#index.find(name)
    if (place === -1) this.add(name, value)
    else this.#values.put(place, value)
    return place === -1
  }

  /** Puts a value under a name that is not there yet. */
  add(name: string, value: Value): void {
    this.#names.push(name)
    this.#values.push(value)
    this.#nameBytes += name.length
    this.#index.added()
  }

  /** Removes a name. Returns whether it was there. */
  delete(name: string): boolean {
    const place = this.#index.find(name)
    if (place !== -1) this.deleteAt(place)
    return place !== -1
  }

  /** Removes the name at a place. */
  deleteAt(place: number): void {
    const last = this.#names.length - 1
    this.#nameBytes -= this.#names.at(place).length
    this.#index.leaves(place, last < ORDERED)
    if (last < ORDERED) {
      this.#names.remove(place)
      this.#values.remove(place)
    } else {
      const name = this.#names.pop()
      const value = this.#values.pop()
      if (place === last) return
      this.#names.put(place, name)
      this.#values.put(place, value)
    }
  }

  /** Names in order of insertion, while there are few. */
  names(): IterableIterator<string> {
    return this.#names[Symbol.iterator]()
  }

  /** Values in the same order. */
  values(): IterableIterator<Value> {
    return this.#values[Symbol.iterator]()
  }

  /** Names and values in the same order. */
  *entries(): IterableIterator<[string, Value]> {
    for (let place = 0; place < this.#names.length; place++) yield [this.#names.at(place), this.#values.at(place)]
  }

  /** Copies names and values into a new one. */
  clone(copy: (value: Value) => Value = (value) => value): Dictionary<Value> {
    const twin = new Dictionary<Value>()
    for (let place = 0; place < this.#names.length; place++)
      twin.add(this.#names.at(place), copy(this.#values.at(place)))
    return twin
  }

  /**
   * Tells up to `count` names and values, and returns the cursor to go on with; 0: that was all. Begin with 0. What is there from
   * the first step to the last is told at least once.
   */
  scan(cursor: number, count: number, tell: (name: string, value: Value) => void): number {
    const top = cursor === 0 ? this.size : Math.min(cursor, this.size)
    const bottom = Math.max(0, top - count)
    for (let place = top - 1; place >= bottom; place--) tell(this.#names.at(place), this.#values.at(place))
    return bottom
  }
}
