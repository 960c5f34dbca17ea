import type { Clock } from './clock.ts'
import { InvalidationLog, type Told } from './invalidation-log.ts'
import { STORE_BATCH_MAX } from './store.ts'

/** What one store has yet to be told, and what it acknowledged a moment ago, which a failover may take back. */
export class InvalidationBacklog {
  readonly #missed: InvalidationLog
  readonly #recent: InvalidationLog
  readonly #clock: Pick<Clock, 'monotonic'>

  /** @param everything the tag that voids all there is */
  constructor(everything: string, clock: Pick<Clock, 'monotonic'>) {
    this.#missed = new InvalidationLog(everything)
    this.#recent = new InvalidationLog(everything)
    this.#clock = clock
  }

  /** How many names the store has yet to be told. */
  get size(): number {
    return this.#missed.size
  }

  /** The store does not know of it. */
  miss(told: Told): void {
    this.#missed.add(told, this.#clock.monotonic())
  }

  /** The store has acknowledged it: it is told again if the store comes into doubt soon. */
  acknowledge(told: Told): void {
    const nowMs = this.#clock.monotonic()
    this.#recent.forgetBefore(nowMs - RECENT_MS)
    this.#recent.add(told, nowMs)
  }

  /**
   * Tells everything that was missed, and again what was acknowledged just before; what is added meanwhile comes last. First
   * it probes by a write: a replica, or a server that is full, only reads well.
   */
  async makeUp(
    probe: (names: readonly string[]) => Promise<unknown>,
    tell: (told: Told) => Promise<unknown>,
  ): Promise<void> {
    this.#recent.forgetBefore(this.#clock.monotonic() - RECENT_MS)
    this.#recent.moveTo(this.#missed)
    await probe(PROBES)
    await this.#missed.drain(tell, () => this.#clock.monotonic())
  }
}

/** Several, so that of several servers behind a store each is likely to be asked. */
const PROBES: readonly string[] = Array.from({ length: Math.min(16, STORE_BATCH_MAX) }, (_, at) => `probe ${at}`)
/** How long an acknowledged invalidation may yet be lost by a failover, or by a restart from a log that is synced each second. */
const RECENT_MS = 30_000
