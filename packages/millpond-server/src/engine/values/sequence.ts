/** A list that grows and shrinks at its end without being copied as a whole: an array in chunks. */

const CHUNK_BITS = 15
const CHUNK = 2 ** CHUNK_BITS
const IN_CHUNK = CHUNK - 1

/** The engine copies an array that grows. Of millions of items that would stop everybody for tens of milliseconds; here it is one chunk at most. */
export class Sequence<Item> {
  readonly #first: Item[] = []
  /** Where there is more than one chunk: those behind the first. */
  #more: Item[][] | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The item at a place, which must be below `length`. */
  at(place: number): Item {
    return place < CHUNK ? this.#first[place]! : this.#chunkOf(place)[place & IN_CHUNK]!
  }

  put(place: number, item: Item): void {
    if (place < CHUNK) this.#first[place] = item
    else this.#chunkOf(place)[place & IN_CHUNK] = item
  }

  push(item: Item): void {
    const place = this.#length++
    if (place < CHUNK) this.#first.push(item)
    else {
      this.#more ??= []
      if ((place & IN_CHUNK) === 0) this.#more.push([])
      this.#chunkOf(place).push(item)
    }
  }

  /** Removes the last, which must be there, and returns it. */
  pop(): Item {
    const place = --this.#length
    if (place < CHUNK) return this.#first.pop()!
    const item = this.#chunkOf(place).pop()!
    if ((place & IN_CHUNK) === 0) this.#more!.pop()
    return item
  }

  /** Removes an item; those behind it move up. Only while there are so few that they are in one chunk. */
  remove(place: number): void {
    this.#first.splice(place, 1)
    this.#length--
  }

  /** The place of an item among few: see `remove`. */
  placeOf(item: Item): number {
    return this.#first.indexOf(item)
  }

  *[Symbol.iterator](): IterableIterator<Item> {
    yield* this.#first
    for (const chunk of this.#more ?? []) yield* chunk
  }

  #chunkOf(place: number): Item[] {
    return this.#more![(place >>> CHUNK_BITS) - 1]!
  }
}
