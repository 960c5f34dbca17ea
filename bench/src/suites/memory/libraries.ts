/** The tables that the suite `memory` compares, brought to the same two methods: our heap-table and its neighbours on npm. */

import { SieveCache } from '@neophi/sieve-cache'
import { LRUCache } from 'lru-cache'
import { HeapTable, lru as lruPolicy, s3Fifo, sieve } from 'millpond/memory'
import { LRUMap } from 'mnemonist'
import QuickLRU from 'quick-lru'
import { lru } from 'tiny-lru'
import { LruMap } from 'toad-cache'
import { newCache } from 'transitory'

export interface Table {
  get(key: string): unknown
  set(key: string, value: object): unknown
}

const TTL_MS = 3_600_000

/** By name; each makes a table of at most so many entries. */
export const libraries: Readonly<Record<string, (entries: number) => Table>> = {
  millpond: (maxEntries) => new HeapTable<object>({ maxEntries }),
  'millpond s3Fifo': (maxEntries) => new HeapTable<object>({ maxEntries, policy: s3Fifo }),
  'millpond sieve': (maxEntries) => new HeapTable<object>({ maxEntries, policy: sieve }),
  'millpond lru': (maxEntries) => new HeapTable<object>({ maxEntries, policy: lruPolicy }),
  /** Reads the clock at every call. */
  'millpond ttl': (maxEntries) => {
    const table = new HeapTable<object>({ maxEntries })
    const life = { ttlMs: TTL_MS }
    return { get: (key) => table.get(key), set: (key, value) => table.set(key, value, life) }
  },
  /** As the cache uses the table: it has read the clock already. */
  'millpond ttl, time given': (maxEntries) => {
    const table = new HeapTable<object>({ maxEntries })
    const life = { ttlMs: TTL_MS }
    const nowMs = performance.now()
    return { get: (key) => table.get(key, nowMs), set: (key, value) => table.set(key, value, life, nowMs) }
  },
  'millpond ttl, weight': (entries) => {
    const table = new HeapTable<object>({ maxEntries: entries, maxWeight: entries * 100 })
    const life = { ttlMs: TTL_MS, weight: 100 }
    return { get: (key) => table.get(key), set: (key, value) => table.set(key, value, life) }
  },
  'lru-cache': (max) => new LRUCache<string, object>({ max }),
  'lru-cache ttl': (max) => new LRUCache<string, object>({ max, ttl: TTL_MS }),
  'lru-cache ttl, weight': (max) =>
    new LRUCache<string, object>({ max, ttl: TTL_MS, maxSize: max * 100, sizeCalculation: () => 100 }),
  'quick-lru': (maxSize) => new QuickLRU<string, object>({ maxSize }),
  'tiny-lru': (max) => lru<object>(max),
  mnemonist: (capacity) => new LRUMap<string, object>(capacity),
  'toad-cache': (max) => new LruMap<object>(max),
  'sieve-cache': (max) => new SieveCache<string, object>(max),
  transitory: (max) => {
    const cache = newCache<string, object>().maxSize(max).build()
    return { get: (key) => cache.getIfPresent(key) ?? undefined, set: (key, value) => cache.set(key, value) }
  },
}
