/** The median of the last nine round trips to a peer, in milliseconds. */
export class RoundTrip {
  readonly #lastMs: number[] = []
  #next = 0
  /** `undefined` until the first one was measured. */
  medianMs: number | undefined

  add(ms: number): void {
    this.#lastMs[this.#next] = ms
    this.#next = (this.#next + 1) % TRIPS
    this.medianMs = this.#lastMs.toSorted((a, b) => a - b)[this.#lastMs.length >> 1]
  }
}

const TRIPS = 9

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
