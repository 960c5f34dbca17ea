/** The turns of one event loop: what goes out at their ends, and who goes on then with what was too much for one turn. */

/** When connections have worked for so long in a turn, who has more to do waits for the next one. */
const TURN_MS = 1

/** When the turn is over: `setImmediate`, unless somebody turns it by hand. */
type AtEnd = (run: () => void) => unknown

/**
 * What a connection has read is executed at once, up to a few hundred commands. Who has more asks `isOver`, and when all
 * together have taken their time it waits in line. At the end of a turn first goes out what was answered in it, and then those
 * go on who are first in the line, for as long as one turn may take: between two such stretches the event loop reads from
 * everybody. So how long somebody waits who asks little does not depend on how many others ask much.
 */
export class Turns {
  readonly #now: () => number
  readonly #atEnd: AtEnd
  #departures: (() => void)[] = []
  readonly #line: (() => void)[] = []
  #isEnding = false
  /** When somebody was first asked to look at the time; `undefined`: nobody in this turn. */
  #beganMs: number | undefined

  constructor(now: () => number = () => performance.now(), atEnd: AtEnd = setImmediate) {
    this.#now = now
    this.#atEnd = atEnd
  }

  /** Calls at the end of this turn. */
  whenOver(depart: () => void): void {
    this.#departures.push(depart)
    this.#end()
  }

  /** Whether enough was done in this turn. */
  isOver(): boolean {
    const nowMs = this.#now()
    if (this.#beganMs === undefined) {
      this.#beganMs = nowMs
      this.#end()
    }
    return nowMs - this.#beganMs >= TURN_MS
  }

  /** Goes on with `work` when others had their turn. */
  wait(work: () => void): void {
    this.#line.push(work)
    this.#end()
  }

  #end(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#atEnd(() => this.#over())
  }

  #over(): void {
    this.#isEnding = false
    this.#beganMs = undefined
    const departures = this.#departures
    this.#departures = []
    for (const depart of departures) depart()
    // Who has to wait again stands behind those who have not had their turn yet.
    for (let left = this.#line.length; left > 0; left--) {
      this.#line.shift()!()
      if (this.#beganMs !== undefined && this.isOver()) break
    }
    if (this.#line.length > 0) this.#end()
  }
}

/** Those of this thread's event loop. */
export const TURNS: Turns = new Turns()
