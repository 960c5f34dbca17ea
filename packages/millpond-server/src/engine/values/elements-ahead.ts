/**
 * Elements of collections that will be asked for soon: what is known of them is fetched from memory together. As with keys
 * (`ArenaTable.ahead`), each step is taken for all of them before the next one, and nothing is decided by it.
 */
import type { Dictionary } from './dictionary.ts'
import { hashBytes } from './name-hash.ts'

/** So many elements at most are fetched at once. */
const ELEMENTS_MAX = 64

export class ElementsAhead {
  readonly #dictionaries: Dictionary<unknown>[] = []
  readonly #hashes = new Int32Array(ELEMENTS_MAX)
  readonly #places = new Int32Array(ELEMENTS_MAX)
  /** What was read is added up and kept, or an optimizing compiler would see that nobody needs it. */
  #sum = 0

  /** Notes an element by its name. */
  add(dictionary: Dictionary<unknown>, bytes: Buffer, start: number, end: number): void {
    const { length } = this.#dictionaries
    if (length === ELEMENTS_MAX) return
    this.#hashes[length] = hashBytes(bytes, start, end)
    this.#dictionaries.push(dictionary)
  }

  /** Fetches what was noted. */
  fetch(): void {
    const count = this.#dictionaries.length
    if (count > 1) this.#sum = (this.#sum + this.#fetchIndexes(count) + this.#fetchElements(count)) | 0
    this.#dictionaries.length = 0
  }

  #fetchIndexes(count: number): number {
    let sum = 0
    for (let at = 0; at < count; at++) sum += this.#dictionaries[at]!.touchIndex(this.#hashes[at]!)
    return sum
  }

  #fetchElements(count: number): number {
    let sum = 0
    for (let at = 0; at < count; at++) this.#places[at] = this.#dictionaries[at]!.guess(this.#hashes[at]!)
    for (let at = 0; at < count; at++) {
      const place = this.#places[at]!
      if (place >= 0) sum += this.#dictionaries[at]!.touch(place)
    }
    return sum
  }
}
