import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'

const FIRST_MS = 10
const LAST_MS = 2000
/** What only a person can change is looked at this often. */
const CONFIGURATION_MS = 5000

/**
 * How long to wait before the next attempt: first almost nothing, doubling up to 2 s, and spread by half so that many
 * processes do not come back at once.
 */
export class Backoff {
  private readonly clock: Clock
  private readonly random: Random
  private nextMs = FIRST_MS
  private wake: (() => void) | undefined

  constructor(clock: Clock, random: Random) {
    this.clock = clock
    this.random = random
  }

  reset(): void {
    this.nextMs = FIRST_MS
  }

  /** Ends a wait now. */
  skip(): void {
    this.wake?.()
  }

  /** Keeps the process alive meanwhile if it `holds` it: somebody waits for the feed. */
  async wait(configuration: boolean, holds: boolean): Promise<void> {
    const delayMs = (configuration ? CONFIGURATION_MS : this.nextMs) * (0.5 + this.random() / 2)
    this.nextMs = Math.min(this.nextMs * 2, LAST_MS)
    await new Promise<void>((resolve) => {
      const timer = this.clock.after(delayMs, resolve, holds)
      this.wake = () => {
        timer.cancel()
        resolve()
      }
    })
    this.wake = undefined
  }
}
