import type { Entry } from './entry.ts'

/**
 * What waits to be sent: keys, not values. A key that changes again before its turn keeps its place, and what it holds when
 * its turn comes is sent: the newest wins, nobody starves, and under pressure a row of updates to one key is one datagram.
 */
export class Unsent {
  readonly #waiting = new Set<Entry>()
  readonly #marks: Mark[] = []
  readonly #reached: Mark[] = []
  #last: Entry | undefined
  /** Goes on from turn to turn: from the start, each look would step over all that was deleted before. */
  #turns: IterableIterator<Entry> | undefined
  #first: Entry | undefined
  /** Changes that were overtaken by a later one of the same key before they were sent. */
  conflated = 0

  get size(): number {
    return this.#waiting.size
  }

  has(entry: Entry): boolean {
    return this.#waiting.has(entry)
  }

  add(entry: Entry): void {
    const before = this.#waiting.size
    this.#waiting.add(entry)
    if (this.#waiting.size === before) this.conflated++
    else this.#last = entry
  }

  /** The one whose turn it is; it stays until `took`. */
  first(): Entry | undefined {
    if (this.#first || this.#waiting.size === 0) return this.#first
    this.#turns ??= this.#waiting.values()
    const { value, done } = this.#turns.next()
    if (done) {
      this.#turns = undefined
      return this.first()
    }
    return (this.#first = value)
  }

  /** It is in the message that is being made. */
  took(entry: Entry): void {
    this.#waiting.delete(entry)
    this.#first = undefined
    while (this.#marks.length > 0 && this.#marks[0]!.entry === entry) this.#reached.push(this.#marks.shift()!)
  }

  /** The message has gone out, with this number. */
  went(seq: number): void {
    for (const { reach } of this.#reached.splice(0)) reach(seq)
  }

  /** Calls `reach` with the number of the message in which the last of what waits now goes out. False when nothing waits. */
  mark(reach: (seq: number) => void): boolean {
    if (this.#waiting.size === 0) return false
    this.#marks.push({ entry: this.#last!, reach })
    return true
  }

  /** Drops what waits: it is not sent any more. */
  clear(): void {
    this.#waiting.clear()
    this.#first = this.#turns = undefined
    this.#reached.push(...this.#marks.splice(0))
    this.went(0)
  }
}

interface Mark {
  readonly entry: Entry
  readonly reach: (seq: number) => void
}
