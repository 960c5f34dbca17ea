/**
 * How far the feed has got, and what that proves: every commit up to `position` was announced. Asked at time τ, the server
 * names a position that covers everything visible at τ; once the watermark reaches it, nothing visible at τ is missing. A
 * position is a number that grows with the log: an LSN, a cluster time.
 */
export class Watermark {
  private reachedPosition: bigint
  private freshMs = Number.NEGATIVE_INFINITY
  private readonly asked: { atMs: number; position: bigint }[] = []
  private waiting: { position: bigint; resolve: (reached: boolean) => void }[] = []
  private hasEnded = false

  constructor(position: bigint) {
    this.reachedPosition = position
  }

  get position(): bigint {
    return this.reachedPosition
  }

  /** Clock time (`monotonic`) of the latest moment of which nothing is missing. */
  get freshAsOfMs(): number {
    return this.freshMs
  }

  /** Clock time of the oldest question that still waits for the stream; `undefined` when it has caught up. */
  get waitingSinceMs(): number | undefined {
    return this.asked[0]?.atMs
  }

  /** Everything visible at `atMs` lies before `position`. */
  expect(atMs: number, position: bigint): void {
    if (this.hasEnded) return
    const last = this.asked.at(-1)
    // The same position proves the later moment too. The oldest question stays: it tells how long the stream is silent.
    if (this.asked.length > 1 && last!.position === position) last!.atMs = atMs
    else this.asked.push({ atMs, position })
    this.proceed()
  }

  /** Everything before `position` was announced. */
  advance(position: bigint): void {
    if (this.hasEnded || position <= this.reachedPosition) return
    this.reachedPosition = position
    this.proceed()
  }

  /** Resolves with true once everything before `position` was announced; with false when the epoch ends before that. */
  reached(position: bigint): Promise<boolean> {
    if (this.hasEnded) return Promise.resolve(false)
    if (position <= this.reachedPosition) return Promise.resolve(true)
    return new Promise((resolve) => this.waiting.push({ position, resolve }))
  }

  /** Nothing is proven any more, whatever is said or answered from now on. */
  end(): void {
    this.hasEnded = true
    this.freshMs = Number.NEGATIVE_INFINITY
    this.asked.length = 0
    for (const { resolve } of this.waiting.splice(0)) resolve(false)
  }

  private proceed(): void {
    let count = 0
    while (count < this.asked.length && this.asked[count]!.position <= this.reachedPosition)
      this.freshMs = this.asked[count++]!.atMs
    if (count > 0) this.asked.splice(0, count)
    if (this.waiting.length === 0) return
    const woken = this.waiting.filter((wait) => wait.position <= this.reachedPosition)
    this.waiting = this.waiting.filter((wait) => wait.position > this.reachedPosition)
    for (const { resolve } of woken) resolve(true)
  }
}
