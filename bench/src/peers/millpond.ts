/** Millpond, as its documentation shows it: options in the call, tags on, and the counters that are always on. */

import { type Cache, type CacheOptions, createCache } from 'millpond'
import { type Peer, type PeerOptions, TAG } from './peer.ts'

const RENEW_AFTER_MS = 20

export const millpond: Peer = millpondWith('millpond', {})

/** Millpond with more than a near tier: a store, a bus. */
export function millpondWith(name: string, more: CacheOptions): Peer {
  return {
    name,
    renewAfterMs: RENEW_AFTER_MS,
    open(options) {
      const { load } = options
      const cache = openMillpond(options, more)
      const ttl = options.renew ? RENEW_AFTER_MS : options.ttlMs
      return {
        get: (key) => cache.getOrSet(key, () => load(key), { ttl, tags: [TAG] }),
        set: (key, value) => cache.set(key, value, { ttl, tags: [TAG] }),
        delete: (key) => cache.delete(key),
        deleteByTag: (tag) => cache.deleteByTag(tag),
        close: () => cache.close(),
      }
    },
  }
}

export function openMillpond({ ttlMs, entries, renew }: PeerOptions, more: CacheOptions = {}): Cache {
  return createCache({
    name: 'bench',
    ttl: ttlMs,
    memory: { maxEntries: entries },
    ...more,
    ...(renew ? { staleWhileRevalidate: '6h' } : {}),
  })
}
