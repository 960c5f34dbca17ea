/** layered-loader: the loader belongs to the cache; `get` is its getOrSet. */

import { Loader } from 'layered-loader/core'
import type { Peer } from './peer.ts'
import type { Trade } from './trade.ts'

const RENEW_AFTER_MS = 20

function loader({ load, ttlMs, entries, renew }: Parameters<Peer['open']>[0]): Loader<Trade> {
  return new Loader<Trade>({
    inMemoryCache: {
      cacheType: 'lru-map',
      ttlInMsecs: ttlMs,
      maxItems: entries,
      ...(renew ? { ttlLeftBeforeRefreshInMsecs: ttlMs - RENEW_AFTER_MS } : {}),
    },
    dataSourceGetOneFn: load,
    // Failing loads are told on the console by default.
    logger: { error: () => {} },
  })
}

export const layeredLoader: Peer = {
  name: 'layered-loader',
  renewAfterMs: RENEW_AFTER_MS,
  open(options) {
    const cache = loader(options)
    return {
      get: (key) => cache.get(key) as Promise<Trade>,
      set: (key, value) => cache.forceSetValue(key, value),
      delete: (key) => cache.invalidateCacheFor(key),
      close: () => cache.close(),
    }
  },
}

/** Its synchronous way in: what to compare `getSync` with. */
export function openInMemoryOnly(options: Parameters<Peer['open']>[0]): {
  readonly warm: (key: string) => Promise<unknown>
  readonly getSync: (key: string) => Trade | null | undefined
} {
  const cache = loader(options)
  return { warm: (key) => cache.get(key), getSync: (key) => cache.getInMemoryOnly(key) }
}
