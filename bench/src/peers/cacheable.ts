/** cacheable with its default memory store. Its `getOrSet` takes no tags; it swallows errors unless told not to. */

import { Cacheable } from 'cacheable'
import type { Peer } from './peer.ts'
import type { Trade } from './trade.ts'

export const cacheable: Peer = peer('cacheable', false)
export const cacheableThrowing: Peer = peer('cacheable, throwErrors: true', true)

function peer(name: string, throwErrors: boolean): Peer {
  return {
    name,
    open({ load, ttlMs }) {
      const cache = new Cacheable({ ttl: ttlMs })
      const get = throwErrors
        ? (key: string) => cache.getOrSet(key, () => load(key), { ttl: ttlMs, throwErrors })
        : (key: string) => cache.getOrSet(key, () => load(key), { ttl: ttlMs })
      return {
        get: get as (key: string) => Promise<Trade>,
        set: (key, value) => cache.set(key, value),
        delete: (key) => cache.delete(key),
        close: () => cache.disconnect(),
      }
    },
  }
}
