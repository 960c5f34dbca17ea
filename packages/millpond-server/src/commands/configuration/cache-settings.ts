/** What of the configuration a cache follows while it runs: its memory, its policy, and from what size on collections are large. */

import type { Cache } from '../../engine/cache.ts'
import type { EncodingLimits } from '../../engine/encoding-limits.ts'
import { isEvictionPolicy } from '../../engine/eviction.ts'
import type { Configuration } from './configuration.ts'

/** The limits of encodings by their names in the configuration. */
const LIMITS: Readonly<Record<string, keyof EncodingLimits>> = {
  'hash-max-listpack-entries': 'hashMaxListpackEntries',
  'hash-max-listpack-value': 'hashMaxListpackValue',
  'set-max-intset-entries': 'setMaxIntsetEntries',
  'zset-max-listpack-entries': 'zsetMaxListpackEntries',
  'zset-max-listpack-value': 'zsetMaxListpackValue',
  'stream-node-max-bytes': 'streamNodeMaxBytes',
  'stream-node-max-entries': 'streamNodeMaxEntries',
  'list-max-listpack-size': 'listMaxListpackSize',
  'hll-sparse-max-bytes': 'hllSparseMaxBytes',
}

export function followCache(configuration: Configuration, cache: Cache): void {
  const pace = (): void => {
    const logFactor = configuration.number('lfu-log-factor')
    cache.setPace({ logFactor, decayMinutes: configuration.number('lfu-decay-time') })
  }
  configuration.follow('maxmemory', (value) => cache.setMaxMemory(Number(value)))
  configuration.follow('maxmemory-policy', (value) => {
    if (isEvictionPolicy(value)) cache.setPolicy(value)
  })
  configuration.follow('lfu-log-factor', pace)
  configuration.follow('lfu-decay-time', pace)
  for (const [name, limit] of Object.entries(LIMITS)) {
    configuration.follow(name, (value) => void (cache.limits[limit] = Number(value)))
  }
}
