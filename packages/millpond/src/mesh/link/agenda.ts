import type { Clock, Timer } from '../../core/clock.ts'

/**
 * One timer for everything that a link does by time: it is armed for what is due first, and moved only when something
 * is due earlier. What is due later than thought costs one look.
 */
export class Agenda {
  readonly #clock: Clock
  readonly #look: (nowMs: number, lateMs: number) => number
  readonly #fire: () => void
  #timer: Timer | undefined
  #atMs = Number.POSITIVE_INFINITY
  #looking = false
  #closed = false

  /** `look` does what is due, is told how late it comes, and returns when it has to look again. */
  constructor(clock: Clock, look: (nowMs: number, lateMs: number) => number) {
    this.#clock = clock
    this.#look = look
    this.#fire = () => this.#run()
  }

  /** Looks at `atMs` or before. */
  by(atMs: number): void {
    if (atMs >= this.#atMs || this.#closed) return
    if (this.#looking) this.#atMs = atMs
    else this.#arm(atMs, this.#clock.monotonic())
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #arm(atMs: number, nowMs: number): void {
    this.#timer?.cancel()
    this.#atMs = Math.max(atMs, nowMs)
    this.#timer = this.#clock.after(this.#atMs - nowMs, this.#fire)
  }

  #run(): void {
    const nowMs = this.#clock.monotonic()
    const lateMs = nowMs - this.#atMs
    this.#timer = undefined
    this.#atMs = Number.POSITIVE_INFINITY
    this.#looking = true
    const nextMs = this.#look(nowMs, lateMs)
    this.#looking = false
    if (!this.#closed) this.#arm(Math.max(nowMs + LOOK_MS_MIN, Math.min(nextMs, this.#atMs)), nowMs)
  }
}

/** Timers of Node are no finer than this. */
const LOOK_MS_MIN = 1
