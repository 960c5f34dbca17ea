/** The time of an engine: the wall clock in whole milliseconds, which stands still while a command runs. */
import type { Clock, Timer } from 'millpond'

/** Before all moments that a log may hold, and after those that are refused. */
const LONG_AGO = 1

/**
 * Expiries are moments of the wall clock, because they are told to clients (EXPIRETIME), written to disk and read by
 * other servers. Within one command time must not move (a script would see a key expire half-way), so it is read once
 * for each batch of commands, by `tick`.
 */
export class EngineTime implements Clock {
  nowMs: number
  readonly #wall: () => number
  #held = false

  constructor(wall: () => number = Date.now) {
    this.#wall = wall
    this.nowMs = wall()
  }

  /** Reads the clock, and sets time by it. */
  tick(): void {
    if (!this.#held) this.nowMs = this.#wall()
  }

  /** What the clock says, whatever time is taken to be. */
  read(): number {
    return this.#wall()
  }

  /**
   * Until `release` it is a moment long ago, so that nothing expires: while a log is read. A key that is over by now was there
   * for the commands that follow in the log, and must be, or INCR would begin anew with a key that lives for ever.
   */
  hold(): void {
    this.#held = true
    this.nowMs = LONG_AGO
  }

  release(): void {
    this.#held = false
    this.tick()
  }

  monotonic(): number {
    return this.nowMs
  }

  wall(): number {
    return this.nowMs
  }

  after(delayMs: number, run: () => void): Timer {
    const handle = setTimeout(run, delayMs)
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  }
}
