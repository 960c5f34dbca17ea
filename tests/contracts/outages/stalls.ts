/**
 * How long the event loop stood still, all in all: the machine gave the process no time, or something ran for long. It is
 * told from a timer that fires late.
 */
export class Stalls {
  #totalMs = 0
  #dueMs = 0
  #timer: NodeJS.Timeout | undefined

  start(): void {
    this.#dueMs = performance.now() + TICK_MS
    this.#timer = setTimeout(() => {
      this.#totalMs += this.#lateMs()
      this.start()
    }, TICK_MS)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** Since the start; a stall that the timer has yet to tell of is counted. */
  get totalMs(): number {
    return this.#totalMs + this.#lateMs()
  }

  #lateMs(): number {
    const lateMs = performance.now() - this.#dueMs
    return lateMs > USUAL_MS ? lateMs : 0
  }
}

const TICK_MS = 1
/** Timers are late by less than this on a machine that does nothing else. */
const USUAL_MS = 1.5
