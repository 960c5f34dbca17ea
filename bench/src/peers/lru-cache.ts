/** lru-cache's `fetch`. */

import { LRUCache } from 'lru-cache'
import type { Peer } from './peer.ts'
import type { Trade } from './trade.ts'

const RENEW_AFTER_MS = 20

export const lruCacheFetch: Peer = {
  name: 'lru-cache.fetch',
  renewAfterMs: RENEW_AFTER_MS,
  open({ load, ttlMs, entries, renew }) {
    const cache = new LRUCache<string, Trade>({
      max: entries,
      ttl: renew ? RENEW_AFTER_MS : ttlMs,
      ...(renew ? { allowStale: true } : {}),
      fetchMethod: (key) => load(key),
    })
    return {
      get: (key) => cache.fetch(key) as Promise<Trade>,
      set: async (key, value) => cache.set(key, value),
      delete: async (key) => cache.delete(key),
      close: async () => cache.clear(),
    }
  },
}
