/** Who leaves when a cache is full: the names that `maxmemory-policy` knows, and what stands behind them. */
import { byRank, never, type PolicyFactory, tinyLfu } from 'millpond/memory'

/**
 * Redis's eight policies, and Millpond's own, which is the default of a cache: `allkeys-tinylfu` notices by itself
 * whether recency or frequency keeps more hits. `lru` here is exact, `lfu`, `ttl` and `random` compare 16 keys.
 */
export const EVICTION_POLICIES = [
  'allkeys-tinylfu',
  'noeviction',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
] as const
export type EvictionPolicy = (typeof EVICTION_POLICIES)[number]

/** Policies by those names, one a name and in their order. */
export const POLICIES: readonly PolicyFactory[] = EVICTION_POLICIES.map((name) => {
  if (name === 'allkeys-tinylfu') return { ...tinyLfu, name }
  if (name === 'noeviction') return { ...never, name }
  const [among, by] = name.split('-') as ['allkeys' | 'volatile', 'lru' | 'lfu' | 'random' | 'ttl']
  const rank = { lru: 'use', lfu: 'frequency', random: 'random', ttl: 'expiry' } as const
  return byRank(name, rank[by], among === 'allkeys' ? 'all' : 'expiring')
})

/** Whether a name is one of a policy. */
export function isEvictionPolicy(name: string): name is EvictionPolicy {
  return (EVICTION_POLICIES as readonly string[]).includes(name)
}

/** Whether OBJECT FREQ has something to tell, in place of OBJECT IDLETIME. */
export function countsUses(name: EvictionPolicy): boolean {
  return name.endsWith('-lfu')
}
