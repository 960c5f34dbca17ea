/** Connections that have just been accepted: they are read from when nobody else is at the door. */

/** Nobody is kept waiting for longer, however many come. */
const WAIT_MS = 20

/**
 * The event loop accepts one connection a turn. If those who came first were served at once, each turn would be longer than
 * the one before it, and of fifty that come together the last would wait for more than a thousand answers to the others.
 * Accepting takes little, so they wait for one another: until a turn has brought nobody.
 */
export class Arrivals {
  readonly #now: () => number
  readonly #atEnd: (run: () => void) => unknown
  #waiting: (() => void)[] = []
  #firstMs = 0
  /** How many waited at the end of the turn before. */
  #before = 0

  /** @param atEnd calls at the end of the turn of the event loop */
  constructor(now: () => number = () => performance.now(), atEnd: (run: () => void) => unknown = setImmediate) {
    this.#now = now
    this.#atEnd = atEnd
  }

  /** Calls `begin` when its turn has come. */
  add(begin: () => void): void {
    if (this.#waiting.length === 0) {
      this.#firstMs = this.#now()
      this.#before = 0
      this.#look()
    }
    this.#waiting.push(begin)
  }

  #look(): void {
    this.#atEnd(() => {
      const waiting = this.#waiting
      if (waiting.length > this.#before && this.#now() - this.#firstMs < WAIT_MS) {
        this.#before = waiting.length
        this.#look()
        return
      }
      this.#waiting = []
      for (const begin of waiting) begin()
    })
  }
}
