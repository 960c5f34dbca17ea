import type { Clock } from '../../core/clock.ts'

/** Lets so many things through in a second, and as many at once after a quiet second. */
export class TokenBucket {
  readonly #clock: Clock
  readonly #perSecond: number
  #tokens: number
  #filledMs: number

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#tokens = perSecond
    this.#filledMs = clock.monotonic()
  }

  /** Whether one more may pass now. */
  take(): boolean {
    const nowMs = this.#clock.monotonic()
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((nowMs - this.#filledMs) * this.#perSecond) / 1000)
    this.#filledMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
