/**
 * The time as a burst of reads needs it. Asking the machine takes a third of a hit in memory, so of more than
 * `BURST_READS` readings within a millisecond only every `SHARED_READS`th asks. A burst is over when the event loop has
 * come round to its timers: a time is not used again after the process was idle, and it lags at most by how long this
 * turn of the loop has been going on. (Redis, too, looks at the clock once for a turn of its loop.)
 */
export class CoarseTime {
  readonly #monotonic: () => number
  readonly #after: (delayMs: number, run: () => void) => unknown
  #nowMs = Number.NEGATIVE_INFINITY
  /** How many more readings may be given `#nowMs`. */
  #left = 0
  #inBurst = false
  #countedFromMs = Number.NEGATIVE_INFINITY
  #counted = 0

  constructor(monotonic: () => number, after: (delayMs: number, run: () => void) => unknown) {
    this.#monotonic = monotonic
    this.#after = after
  }

  nowMs(): number {
    return this.#left-- > 0 ? this.#nowMs : this.#ask()
  }

  #ask(): number {
    const nowMs = this.#monotonic()
    this.#nowMs = nowMs
    this.#left = this.#inBurst ? SHARED_READS - 1 : 0
    if (this.#inBurst) return nowMs
    if (nowMs - this.#countedFromMs >= BURST_MS) {
      this.#countedFromMs = nowMs
      this.#counted = 0
    }
    if (++this.#counted > BURST_READS) this.#begin()
    return nowMs
  }

  #begin(): void {
    this.#inBurst = true
    this.#after(BURST_MS, () => {
      this.#inBurst = false
      this.#left = 0
    })
  }
}

const BURST_MS = 1
const BURST_READS = 64
const SHARED_READS = 16
