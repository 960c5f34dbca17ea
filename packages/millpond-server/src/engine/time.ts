/** The time of an engine: the wall clock in whole milliseconds, which stands still while a command runs. */
import type { Clock, Timer } from 'millpond'

/**
 * Expiries are moments of the wall clock, because they are told to clients (EXPIRETIME), written to disk and read by
 * other servers. Within one command time must not move (a script would see a key expire half-way), so it is read once
 * for each batch of commands, by `tick`.
 */
export class EngineTime implements Clock {
  nowMs: number
  readonly #wall: () => number

  constructor(wall: () => number = Date.now) {
    this.#wall = wall
    this.nowMs = wall()
  }

  /** Reads the clock. */
  tick(): void {
    this.nowMs = this.#wall()
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
