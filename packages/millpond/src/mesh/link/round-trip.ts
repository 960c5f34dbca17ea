/**
 * The last nine round trips to a peer, in milliseconds. Their median is what is shown. Timers use the shortest: an answer
 * that waited for a blocked event loop says nothing about the way, and a request that waits too long repairs nothing.
 */
export class RoundTrip {
  readonly #lastMs: number[] = []
  #next = 0
  /** `undefined` until the first one was measured. */
  medianMs: number | undefined
  /** What timers go by: the shortest one, no longer than 50 ms; 1 until the first was measured. */
  timerMs = 1

  add(ms: number): void {
    this.#lastMs[this.#next] = ms
    this.#next = (this.#next + 1) % TRIPS
    const sorted = this.#lastMs.toSorted((a, b) => a - b)
    this.medianMs = sorted[sorted.length >> 1]
    this.timerMs = Math.min(TIMER_MS_MAX, sorted[0]!)
  }
}

const TRIPS = 9
const TIMER_MS_MAX = 50

/**
 * A moment as a packet carries it, to be sent back: 32 bits of hundredths of a millisecond, never 0. Round trips up to an
 * hour can be told from it.
 */
export function stamp(nowMs: number): number {
  return Math.floor(nowMs * 100) >>> 0 || 1
}

/** How long ago a stamp of ours was made, in milliseconds. */
export function sinceStamp(stamped: number, nowMs: number): number {
  return ((stamp(nowMs) - stamped) >>> 0) / 100
}
