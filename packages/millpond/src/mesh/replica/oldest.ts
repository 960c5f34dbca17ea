import { compareChanges, type Entry } from './entry.ts'

/**
 * The entries of which the oldest is to be found: a heap by the version that each had when it was last looked at. A newer
 * version of an entry costs nothing until the entry comes up: then it sinks to where it belongs now.
 */
export class Oldest {
  readonly #heap: Ranked[] = []

  /** How many entries stand in it, those that have left and were not met since among them. */
  get size(): number {
    return this.#heap.length
  }

  /** Enters an entry, unless it stands there. */
  add(entry: Entry): void {
    if (entry.ranked) return
    entry.ranked = true
    const ranked = { entry, version: entry.version, origin: entry.origin }
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (compareChanges(heap[parent]!, ranked) <= 0) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = ranked
  }

  /** Takes out the entry with the oldest version among those that `belongs` says are still in. */
  take(belongs: (entry: Entry) => boolean): Entry | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      const { entry } = top
      if (!belongs(entry)) this.#pop()
      else if (compareChanges(entry, top) !== 0) {
        top.version = entry.version
        top.origin = entry.origin
        this.#sink(top)
      } else {
        this.#pop()
        return entry
      }
    }
    return undefined
  }

  /** Lets those go that have left. */
  sweep(belongs: (entry: Entry) => boolean): void {
    const staying = this.#heap.filter(({ entry }) => belongs(entry))
    for (const { entry } of this.#heap) entry.ranked = false
    this.#heap.length = 0
    for (const { entry } of staying) this.add(entry)
  }

  clear(): void {
    this.#heap.length = 0
  }

  #pop(): void {
    const heap = this.#heap
    heap[0]!.entry.ranked = false
    const last = heap.pop()!
    if (heap.length > 0) this.#sink(last)
  }

  #sink(ranked: Ranked): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && compareChanges(heap[child + 1]!, heap[child]!) < 0) child++
      if (compareChanges(heap[child]!, ranked) >= 0) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = ranked
  }
}

interface Ranked {
  readonly entry: Entry
  version: number
  origin: number
}
