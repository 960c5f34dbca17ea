/**
 * How well this process keeps up, judged by how late its own timers come. A process whose event loop was blocked has
 * not heard its peers for as long, and must not blame them: that time does not count (`attentiveMs`), and it is slower to
 * suspect anybody for a while (`multiplier`).
 *
 * Dadgar, Phillips and Currey, "Lifeguard: local health awareness for more accurate failure detection", 2018.
 */
export class LocalHealth {
  #lagMs = 0
  #lagAtMs: number
  #missedMs = 0
  #score = 0
  #calmSinceMs: number

  constructor(nowMs: number) {
    this.#lagAtMs = this.#calmSinceMs = nowMs
  }

  /** A timer came `lateMs` after its time. */
  timer(nowMs: number, lateMs: number): void {
    if (lateMs >= this.lagMs(nowMs)) {
      this.#lagMs = lateMs
      this.#lagAtMs = nowMs
    }
    if (lateMs > LATE_MS) this.#missedMs += lateMs
    if (lateMs > BLOCKED_MS) this.worse(nowMs)
    else if (this.#score > 0 && nowMs - this.#calmSinceMs > CALM_MS) {
      this.#score--
      this.#calmSinceMs = nowMs
    }
  }

  /** Something else says that this process is behind: it was suspected though it lives. */
  worse(nowMs: number): void {
    this.#score = Math.min(SCORE_MAX, this.#score + 1)
    this.#calmSinceMs = nowMs
  }

  /** How late the event loop was lately, in milliseconds: halves every second. */
  lagMs(nowMs: number): number {
    return this.#lagMs * 0.5 ** ((nowMs - this.#lagAtMs) / 1000)
  }

  /** Time as far as this process was looking. */
  attentiveMs(nowMs: number): number {
    return nowMs - this.#missedMs
  }

  /** By how much longer than usual it waits before it judges: 1 to 4. */
  get multiplier(): number {
    return 1 + this.#score
  }
}

/** Less than this is the scheduler's grain, not a blocked loop. */
const LATE_MS = 25
/** So much later it begins to doubt itself. Shorter pauses, as of garbage collection, matter to no time limit here. */
const BLOCKED_MS = 100
/** After so long without trouble it trusts itself one step more. */
const CALM_MS = 1000
const SCORE_MAX = 3
