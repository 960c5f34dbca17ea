/** What a cached pool tells of its reads. */
import type { Clock } from '../../../core/clock.ts'
import { EventHub } from '../../../core/event-hub.ts'
import type { Logger } from '../../../core/logger.ts'
import type { PostgresFeed } from '../feed.ts'
import type { Audit } from './auditor.ts'

/** The events of `pool.events.on`, by name. Parameters and rows are never part of one. */
export interface PoolEvents {
  /** Answered from the cache, or by a load that was under way. */
  hit: { text: string }
  /** Asked of the database for the cache. `kept` is false where the connection was not proven to lead to the right server. */
  load: { text: string; kept: boolean }
  /** Went to the database as it was. */
  pass: { text: string; reason: string }
  /** A read found that the feed proves nothing now: until `live`, reads go to the database. */
  late: { reason: string }
  /** A read found that answers are proven fresh again. */
  live: Record<never, never>
  /** A hit was asked again, and judged. */
  audit: Audit
}

/** Tells them to listeners, and on channels `millpond:sql:<name>` with messages `{ pool, ...event }`. */
export class PoolEmitter extends EventHub<PoolEvents> {
  private readonly hits = this.ear('hit')
  private readonly proofs = [this.ear('late'), this.ear('live')]
  private readonly feed: PostgresFeed
  private readonly clock: Clock
  private isLive = true

  constructor(pool: string, logger: Logger, feed: PostgresFeed, clock: Clock) {
    super({ pool }, 'millpond:sql:', logger)
    this.feed = feed
    this.clock = clock
  }

  /** Asked on every read, so that one that nobody listens to costs next to nothing. */
  hit(text: string): void {
    if (this.hits.hears) this.emit('hit', { text })
  }

  /** Looks whether the feed proves that answers are fresh, if anybody wants to know. */
  lookAtProof(): void {
    if (!this.proofs.some((ear) => ear.hears)) return
    const isLive = this.clock.monotonic() - this.feed.freshAsOfMs() <= this.feed.maxStalenessMs
    if (isLive === this.isLive) return
    this.isLive = isLive
    if (isLive) this.emit('live', {})
    else this.emit('late', { reason: this.feed.status().bypassReason ?? 'the feed was late for a moment' })
  }
}
