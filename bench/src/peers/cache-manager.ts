/** cache-manager with its default memory store; `wrap` is its getOrSet. */

import { createCache } from 'cache-manager'
import type { Peer } from './peer.ts'

const RENEW_AFTER_MS = 20

export const cacheManager: Peer = {
  name: 'cache-manager',
  renewAfterMs: RENEW_AFTER_MS,
  open({ load, ttlMs, renew }) {
    const cache = createCache({ ttl: ttlMs, ...(renew ? { refreshThreshold: ttlMs - RENEW_AFTER_MS } : {}) })
    return {
      get: (key) => cache.wrap(key, () => load(key)),
      set: (key, value) => cache.set(key, value),
      delete: (key) => cache.del(key),
      close: () => cache.disconnect(),
    }
  },
}
