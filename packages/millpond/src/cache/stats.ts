/** Counters since the cache was made. One set for a cache and all its namespaces. */
export interface CacheStats {
  /** Reads answered with a fresh value: near tier and store together. */
  hits: number
  nearHits: number
  storeHits: number
  /** Reads answered with a stale value, while it is renewed or because loading failed. */
  staleHits: number
  misses: number
  /** hits + staleHits, over those and misses; 0 before the first read. */
  hitRatio: number
  loads: number
  loadErrors: number
  loadMsTotal: number
  /** Loads whose value was handed out and not kept, because an invalidation came in between. */
  voidedLoads: number
  /** Callers that shared a load with another. */
  joinedLoads: number
  invalidations: number
  evictions: number
  /** Entries that would have been hits, and loads of others that would have been shared, but the feed could not prove them fresh. */
  bypasses: number
  storeErrors: number
  /** Entries in the near tier, and their weight in bytes where `maxWeight` is set. */
  size: number
  weight: number
}

/** What is counted as it happens; the rest of `CacheStats` is derived or asked for. */
export class Counters {
  nearHits = 0
  storeHits = 0
  staleHits = 0
  misses = 0
  loads = 0
  loadErrors = 0
  loadMsTotal = 0
  voidedLoads = 0
  joinedLoads = 0
  invalidations = 0
  evictions = 0
  bypasses = 0
  storeErrors = 0

  /** The statistics with what is derived from these counters. */
  stats(size: number, weight: number): CacheStats {
    const hits = this.nearHits + this.storeHits
    const found = hits + this.staleHits
    return { ...this, hits, hitRatio: found === 0 ? 0 : found / (found + this.misses), size, weight }
  }
}
