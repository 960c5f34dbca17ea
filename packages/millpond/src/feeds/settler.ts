/**
 * Asks the server, one coalesced query for all that has piled up, what is visible by now and how far the log reaches.
 * It asks after each batch of commits, again while one of them stays invisible, and else only as often as the
 * staleness bound needs.
 */
import type { Clock, Timer } from '../core/clock.ts'

export interface SettlerOptions {
  readonly clock: Clock
  readonly heartbeatMs: number
  /** A query that is not answered for so long ends the session. */
  readonly stallTimeoutMs: number
  /** One round trip. Resolves with whether it has to be repeated soon: something is not visible yet. */
  readonly ask: (askedAtMs: number) => Promise<boolean>
  readonly failed: (error: Error) => void
}

const RETRY_MS_MIN = 1
const RETRY_MS_MAX = 20

export class Settler {
  private readonly options: SettlerOptions
  private timer: Timer | undefined
  private busy = false
  private again = false
  private retryMs = RETRY_MS_MIN
  private stopped = false

  constructor(options: SettlerOptions) {
    this.options = options
  }

  /** Something was announced, or proof of freshness is wanted: ask now, or once more when the running query is back. */
  request(): void {
    this.again = this.busy
    if (this.busy || this.stopped) return
    this.retryMs = RETRY_MS_MIN
    this.run().catch((error: unknown) => this.options.failed(error as Error))
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
  }

  private async run(): Promise<void> {
    this.timer?.cancel()
    this.busy = true
    let repeat = false
    try {
      do {
        this.again = false
        repeat = await this.askOnce()
      } while (this.again && !this.stopped)
    } finally {
      this.busy = false
    }
    if (!this.stopped) this.schedule(repeat)
  }

  private async askOnce(): Promise<boolean> {
    const { clock, stallTimeoutMs, ask, failed } = this.options
    const stalled = clock.after(stallTimeoutMs, () => {
      failed(new Error(`the server did not answer within ${stallTimeoutMs} ms`))
    })
    try {
      return await ask(clock.monotonic())
    } finally {
      stalled.cancel()
    }
  }

  private schedule(repeat: boolean): void {
    const { clock, heartbeatMs } = this.options
    const delayMs = repeat ? this.retryMs : heartbeatMs
    this.retryMs = repeat ? Math.min(this.retryMs * 2, RETRY_MS_MAX) : RETRY_MS_MIN
    this.timer = clock.after(delayMs, () => {
      this.run().catch((error: unknown) => this.options.failed(error as Error))
    })
  }
}
