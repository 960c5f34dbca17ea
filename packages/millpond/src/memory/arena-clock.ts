/** Time that all threads of a process agree on: milliseconds that never go back. */
import { type Clock, systemClock } from '../core/clock.ts'
import { builtin } from '../core/platform.ts'

/**
 * Reads a clock in the arena's time. The machine's clock counts from the start of each thread (`performance.now`), so
 * what it is ahead or behind is measured once; a clock that was passed in is taken as it is.
 */
export class ArenaClock {
  readonly #clock: Clock
  readonly #aheadMs: number

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
    this.#aheadMs = clock === systemClock ? processMs() - clock.monotonic() : 0
  }

  nowMs(): number {
    return this.#clock.monotonic() + this.#aheadMs
  }
}

function processMs(): number {
  const time = builtin<typeof import('node:process')>('node:process')?.hrtime()
  return time ? time[0] * 1000 + time[1] / 1e6 : performance.timeOrigin + performance.now()
}
