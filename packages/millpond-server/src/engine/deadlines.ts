/** Moments by name, of which the earliest are taken first: of fields that expire, and of hashes that have such fields. */

/** Fewer are not worth sorting out. */
const SPARE = 64

/**
 * A map, and a binary heap in two arrays. A name that gets another moment or leaves stays in the heap, where it is found to be
 * void when its turn comes; when more than half of the heap is void, it is made anew.
 */
export class Deadlines {
  readonly #byName = new Map<string, number>()
  #names: string[] = []
  #moments: number[] = []

  get size(): number {
    return this.#byName.size
  }

  /** A moment before which nothing is due; Infinity: nothing ever is. */
  get earliestMs(): number {
    return this.#moments[0] ?? Number.POSITIVE_INFINITY
  }

  /** The moment of a name; Infinity: it has none. */
  get(name: string): number {
    return this.#byName.get(name) ?? Number.POSITIVE_INFINITY
  }

  set(name: string, atMs: number): void {
    if (this.#byName.get(name) === atMs) return
    this.#byName.set(name, atMs)
    this.#add(name, atMs)
    this.#tidy()
  }

  delete(name: string): void {
    if (this.#byName.delete(name)) this.#tidy()
  }

  /** Takes away up to `most` names whose moment has come, the earliest first. */
  take(nowMs: number, most: number): string[] {
    const taken: string[] = []
    while (taken.length < most && this.#names.length > 0 && this.earliestMs <= nowMs) {
      const name = this.#names[0]!
      const isVoid = this.#byName.get(name) !== this.#moments[0]
      this.#removeFirst()
      if (isVoid) continue
      this.#byName.delete(name)
      taken.push(name)
    }
    return taken
  }

  /** The same names and moments, in a thing of its own. */
  clone(): Deadlines {
    const twin = new Deadlines()
    for (const [name, atMs] of this.#byName) twin.set(name, atMs)
    return twin
  }

  #tidy(): void {
    if (this.#names.length <= this.#byName.size * 2 + SPARE) return
    this.#names = []
    this.#moments = []
    for (const [name, atMs] of this.#byName) this.#add(name, atMs)
  }

  #add(name: string, atMs: number): void {
    let at = this.#names.length
    this.#names.push(name)
    this.#moments.push(atMs)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#moments[parent]! <= atMs) break
      this.#put(at, this.#names[parent]!, this.#moments[parent]!)
      at = parent
    }
    this.#put(at, name, atMs)
  }

  /** The last takes the place of the first, and sinks to where it belongs. */
  #removeFirst(): void {
    const name = this.#names.pop()!
    const atMs = this.#moments.pop()!
    const count = this.#names.length
    if (count === 0) return
    let at = 0
    for (let child = 1; child < count; child = at * 2 + 1) {
      if (child + 1 < count && this.#moments[child + 1]! < this.#moments[child]!) child++
      if (this.#moments[child]! >= atMs) break
      this.#put(at, this.#names[child]!, this.#moments[child]!)
      at = child
    }
    this.#put(at, name, atMs)
  }

  #put(at: number, name: string, atMs: number): void {
    this.#names[at] = name
    this.#moments[at] = atMs
  }
}
