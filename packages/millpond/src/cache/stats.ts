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
  /** Entries that would have been hits, but the feed could not prove them fresh. */
  bypasses: number
  storeErrors: number
  /** Entries in the near tier, and their weight in bytes where `maxWeight` is set. */
  size: number
  weight: number
}
