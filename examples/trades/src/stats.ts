/** What the app says of itself at `/stats`, and to its page. */
import type { Connections } from './connections.ts'

export interface AppStats {
  cacheIsOn: boolean
  /** Queries of the app that reached the database, writes included. */
  queries: number
  hits: number
  misses: number
  hitRatio: number
  /** Reads that shared a query with another. */
  joinedLoads: number
  /** Reads that went to the database because it could not be proven that the answer still stands. */
  unproven: number
  /** How late the feed is, and how late it may be before reads go to the database. */
  lagMs: number | undefined
  maxStalenessMs: number
  /** Why reads go to the database now. */
  bypassReason: string | undefined
  /** Queries that are never answered from the cache, by reason. */
  passed: Readonly<Record<string, number>>
}

/** `passed` under this reason: the query is one that is cached as a rule. */
const UNPROVEN = 'the feed cannot prove it in time'

export function statsOf({ cached, queries }: Connections, maxStalenessMs: number): AppStats {
  const { hits = 0, misses = 0, hitRatio = 0, joinedLoads = 0, bypasses = 0 } = cached?.cache.stats() ?? {}
  const { passed = {}, feed } = cached?.pool.status() ?? {}
  return {
    cacheIsOn: cached !== undefined,
    queries: queries(),
    ...{ hits, misses, hitRatio, joinedLoads },
    unproven: bypasses + (passed[UNPROVEN] ?? 0),
    // JSON has no Infinity.
    lagMs: Number.isFinite(feed?.lagMs) ? feed?.lagMs : undefined,
    maxStalenessMs,
    bypassReason: feed?.bypassReason,
    passed,
  }
}
