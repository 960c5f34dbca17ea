/**
 * How far the feed has got, and what that proves: every commit up to `lsn` was announced. Asked at time τ, the server
 * names a position that covers everything visible at τ; once the watermark reaches it, nothing visible at τ is missing.
 */
import type { Lsn } from './lsn.ts'

export class Watermark {
  private reachedLsn: Lsn
  private freshMs = Number.NEGATIVE_INFINITY
  private readonly asked: { atMs: number; lsn: Lsn }[] = []
  private waiting: { lsn: Lsn; resolve: (reached: boolean) => void }[] = []

  constructor(lsn: Lsn) {
    this.reachedLsn = lsn
  }

  get lsn(): Lsn {
    return this.reachedLsn
  }

  /** Clock time (`monotonic`) of the latest moment of which nothing is missing. */
  get freshAsOfMs(): number {
    return this.freshMs
  }

  /** Clock time of the oldest question that still waits for the stream; `undefined` when it has caught up. */
  get waitingSinceMs(): number | undefined {
    return this.asked[0]?.atMs
  }

  /** Everything visible at `atMs` lies before `lsn`. */
  expect(atMs: number, lsn: Lsn): void {
    const last = this.asked.at(-1)
    // The same position proves the later moment too. The oldest question stays: it tells how long the stream is silent.
    if (this.asked.length > 1 && last!.lsn === lsn) last!.atMs = atMs
    else this.asked.push({ atMs, lsn })
    this.proceed()
  }

  /** Everything before `lsn` was announced. */
  advance(lsn: Lsn): void {
    if (lsn <= this.reachedLsn) return
    this.reachedLsn = lsn
    this.proceed()
  }

  /** Resolves with true once everything before `lsn` was announced; with false when the epoch ends before that. */
  reached(lsn: Lsn): Promise<boolean> {
    if (lsn <= this.reachedLsn) return Promise.resolve(true)
    return new Promise((resolve) => this.waiting.push({ lsn, resolve }))
  }

  end(): void {
    this.freshMs = Number.NEGATIVE_INFINITY
    this.asked.length = 0
    for (const { resolve } of this.waiting.splice(0)) resolve(false)
  }

  private proceed(): void {
    let count = 0
    while (count < this.asked.length && this.asked[count]!.lsn <= this.reachedLsn)
      this.freshMs = this.asked[count++]!.atMs
    if (count > 0) this.asked.splice(0, count)
    if (this.waiting.length === 0) return
    const woken = this.waiting.filter((wait) => wait.lsn <= this.reachedLsn)
    this.waiting = this.waiting.filter((wait) => wait.lsn > this.reachedLsn)
    for (const { resolve } of woken) resolve(true)
  }
}
