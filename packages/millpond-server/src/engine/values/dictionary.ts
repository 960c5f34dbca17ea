/** Things by name, for hashes, sets and sorted sets: in order of insertion, by chance, and in steps that survive changes. */

/** What a name costs beside its bytes: its entry in the map, and the head of the string. */
const NAME_BYTES = 56
/** What a place costs: its entries in both indexes. */
const PLACE_BYTES = 40

/**
 * A map by byte strings that can also be asked for the name at a random place, and be read in steps while it changes.
 *
 * Implementation note. The map alone serves until somebody asks for a place: most hashes and sets never are, and a write then
 * costs one operation. From then on every name has a place in an array. A name that leaves is replaced by the last, so
 * names only ever move to lower places. Steps go downwards: what stands below the cursor was not told yet, and can only
 * move further down, so nothing that stays is missed, though it may come twice.
 */
export class Dictionary<Value> {
  readonly #values = new Map<string, Value>()
  #names: string[] | undefined
  #places: Map<string, number> | undefined
  #nameBytes = 0

  get size(): number {
    return this.#values.size
  }

  /** About how many bytes the names and their places take; not the values. */
  get weight(): number {
    return this.#nameBytes + this.size * (this.#names === undefined ? NAME_BYTES : NAME_BYTES + PLACE_BYTES)
  }

  get(name: string): Value | undefined {
    return this.#values.get(name)
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** Puts a value under a name. Returns whether the name is new. */
  set(name: string, value: Value): boolean {
    const before = this.#values.size
    this.#values.set(name, value)
    if (this.#values.size === before) return false
    this.#nameBytes += name.length
    if (this.#names !== undefined) this.#places!.set(name, this.#names.push(name) - 1)
    return true
  }

  /** Removes a name. Returns whether it was there. */
  delete(name: string): boolean {
    if (!this.#values.delete(name)) return false
    this.#nameBytes -= name.length
    if (this.#names !== undefined) this.#close(name, this.#names, this.#places!)
    return true
  }

  /** Names in order of insertion. */
  names(): IterableIterator<string> {
    return this.#values.keys()
  }

  /** Values in the same order. */
  values(): IterableIterator<Value> {
    return this.#values.values()
  }

  /** Names and values in the same order. */
  entries(): IterableIterator<[string, Value]> {
    return this.#values.entries()
  }

  /** The name at a place from 0 to below `size`, in an order of its own: a random place is a random name. */
  nameAt(place: number): string {
    return this.#ordered()[place]!
  }

  /** Copies names and values into a new one. */
  clone(copy: (value: Value) => Value = (value) => value): Dictionary<Value> {
    const twin = new Dictionary<Value>()
    for (const [name, value] of this.#values) twin.set(name, copy(value))
    return twin
  }

  /**
   * Tells up to `count` names and values, and returns the cursor to go on with; 0: that was all. Begin with 0. What is there from
   * the first step to the last is told at least once.
   */
  scan(cursor: number, count: number, tell: (name: string, value: Value) => void): number {
    const names = this.#ordered()
    const top = cursor === 0 ? names.length : Math.min(cursor, names.length)
    const bottom = Math.max(0, top - count)
    for (let place = top - 1; place >= bottom; place--) {
      const name = names[place]!
      tell(name, this.#values.get(name)!)
    }
    return bottom
  }

  #ordered(): string[] {
    if (this.#names === undefined) {
      this.#names = [...this.#values.keys()]
      this.#places = new Map(this.#names.map((name, place) => [name, place]))
    }
    return this.#names
  }

  #close(name: string, names: string[], places: Map<string, number>): void {
    const place = places.get(name)!
    const last = names.pop()!
    places.delete(name)
    if (last === name) return
    names[place] = last
    places.set(last, place)
  }
}
