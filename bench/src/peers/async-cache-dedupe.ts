/** async-cache-dedupe with its memory storage: a defined function is its getOrSet; tags are its `references`. */

import { createCache } from 'async-cache-dedupe'
import { type Peer, TAG } from './peer.ts'
import type { Trade } from './trade.ts'

/** Its time limits are whole seconds. */
const RENEW_AFTER_MS = 1000

/** What its published types leave out: `set(name, key, value, ttl)`, where `key` is the stored one. */
interface WithSet {
  set(name: string, key: string, value: Trade, ttlSeconds: number): Promise<void>
}

export const asyncCacheDedupe: Peer = {
  name: 'async-cache-dedupe',
  renewAfterMs: RENEW_AFTER_MS,
  open({ load, ttlMs, entries, renew, tags }) {
    const ttl = renew ? RENEW_AFTER_MS / 1000 : ttlMs / 1000
    const cache = createCache({
      ttl,
      ...(renew ? { stale: 3600 } : {}),
      storage: { type: 'memory', options: { size: entries, ...(tags ? { invalidation: true } : {}) } },
    }).define('trade', tags ? { references: () => [TAG] } : {}, (key: string): Promise<Trade> => load(key))
    return {
      get: (key) => cache.trade(key),
      set: (key, value) => (cache as unknown as WithSet).set('trade', `trade~${key}`, value, ttl),
      delete: (key) => cache.clear('trade', key),
      deleteByTag: (tag) => cache.invalidateAll([tag]),
      close: () => cache.clear(),
    }
  },
}
