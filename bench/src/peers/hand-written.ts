/** What people write by hand: cache-aside with a `Map`, a time limit and a map of the loads that are under way. */

import type { Peer } from './peer.ts'
import type { Trade } from './trade.ts'

export const handWritten: Peer = {
  name: 'hand-written',
  open({ load, ttlMs, entries }) {
    const kept = new Map<string, { value: Trade; expiresAtMs: number }>()
    const loading = new Map<string, Promise<Trade>>()
    const keep = (key: string, value: Trade): void => {
      if (kept.size >= entries) kept.delete(kept.keys().next().value!)
      kept.set(key, { value, expiresAtMs: Date.now() + ttlMs })
    }
    const loadOnce = (key: string): Promise<Trade> => {
      const promise = load(key)
        .then((value) => {
          keep(key, value)
          return value
        })
        .finally(() => loading.delete(key))
      loading.set(key, promise)
      return promise
    }
    return {
      async get(key) {
        const entry = kept.get(key)
        if (entry !== undefined && entry.expiresAtMs > Date.now()) return entry.value
        return loading.get(key) ?? loadOnce(key)
      },
      set: async (key, value) => keep(key, value),
      delete: async (key) => kept.delete(key),
      close: async () => kept.clear(),
    }
  },
}
