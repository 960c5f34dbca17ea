import type { Clock } from '../../core/clock.ts'

/**
 * A moment of a hybrid clock: milliseconds since 2020 times 4,096, plus a counter within the millisecond. A safe integer
 * until 2089. Later moments are larger; what saw a moment has a larger one.
 */
export type Timestamp = number

/**
 * Time that orders and stays near the wall: each `now` is later than any before it and than any that was observed, and
 * as long as clocks agree it is the wall's time.
 *
 * The guard: a clock that is further ahead than `driftMsMax` is followed to that point and no further, so one wrong
 * clock does not carry all others along. Order does not depend on it: moments are compared as they are, by everyone
 * alike, and who overwrites a later moment than its own goes one beyond it (see `MapState`), for that key alone.
 *
 * Kulkarni, Demirbas, Madappa, Avva, Leone: Logical Physical Clocks (OPODIS 2014).
 */
export class HybridClock {
  readonly #clock: Clock
  readonly #driftMsMax: number
  #last: Timestamp = 0

  constructor(clock: Clock, driftMsMax: number) {
    this.#clock = clock
    this.#driftMsMax = driftMsMax
  }

  /** A new moment, later than all before. */
  now(): Timestamp {
    return (this.#last = Math.max(timestampOf(this.#clock.wall()), this.#last + 1))
  }

  /** Follows a moment of another clock. Returns by how many milliseconds it is ahead of the wall; 0 within the guard. */
  observe(moment: Timestamp): number {
    if (moment <= this.#last) return 0
    const aheadMs = timeOf(moment) - this.#clock.wall()
    if (aheadMs <= this.#driftMsMax) {
      this.#last = moment
      return 0
    }
    this.#last = Math.max(this.#last, timestampOf(this.#clock.wall() + this.#driftMsMax))
    return aheadMs
  }
}

/** The first moment of a wall time in milliseconds since 1970; 0 of one before 2020. */
export function timestampOf(wallMs: number): Timestamp {
  return Math.max(0, Math.floor(wallMs) - EPOCH_MS) * COUNTS
}

/** The wall time of a moment, in milliseconds since 1970. */
export function timeOf(moment: Timestamp): number {
  return Math.floor(moment / COUNTS) + EPOCH_MS
}

/** 2020-01-01T00:00:00Z */
const EPOCH_MS = 1_577_836_800_000
const COUNTS = 4096
