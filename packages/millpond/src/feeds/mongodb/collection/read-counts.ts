/** How a cached collection is doing, for people. */
import type { MongoFeedStatus } from '../status.ts'

/** How a cached collection does. */
export interface CollectionStatus {
  /** Reads that were answered from the cache, or by a load that was under way. */
  readonly hits: number
  /** Reads that were loaded. */
  readonly loads: number
  /** Of these, the ones that were read after all that the feed had told, so that their answer could be kept. */
  readonly kept: number
  /** What went to the server as it was: how often, by reason. */
  readonly passed: Readonly<Record<string, number>>
  /** `lagMs`, `position` and `bypassReason` among others. */
  readonly feed: MongoFeedStatus
}

export class ReadCounts {
  hits = 0
  loads = 0
  kept = 0
  private readonly passed = new Map<string, number>()

  pass(reasons: readonly string[]): void {
    for (const reason of reasons) this.passed.set(reason, (this.passed.get(reason) ?? 0) + 1)
  }

  show(feed: MongoFeedStatus): CollectionStatus {
    const { hits, loads, kept, passed } = this
    return { hits, loads, kept, passed: Object.fromEntries(passed), feed }
  }
}
