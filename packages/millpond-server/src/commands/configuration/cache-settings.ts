/** What of the configuration a cache follows while it runs: its memory, its policy, and from what size on collections are large. */

import type { Cache } from '../../engine/cache.ts'
import { isEvictionPolicy } from '../../engine/eviction.ts'
import type { Configuration } from './configuration.ts'

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
}
