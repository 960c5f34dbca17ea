/** How each contender of the suite `store` is set up: its own documentation's way, with a small memory before Redis. */
import KeyvRedis from '@keyv/redis'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { createCache as createCacheManager } from 'cache-manager'
import { Cacheable, CacheableMemory, KeyvCacheableMemory } from 'cacheable'
import type { Redis } from 'ioredis'
import { Keyv } from 'keyv'
import { Loader } from 'layered-loader/core'
import { RedisCache } from 'layered-loader/redis'
import { createCache, type Store } from 'millpond'
import { valkeyStore } from 'millpond/valkey'
import { trade } from '../../peers/trade.ts'

export type Reader = (key: string) => Promise<unknown>

/** What is measured of a contender: reads of all, and writes of plain commands or of the store itself. */
export interface Opened {
  readonly read: Reader
  readonly raw?: boolean
  readonly store?: Store
}

const NEAR_ENTRIES = 100
const TTL_MS = 3_600_000
const load = async (key: string) => trade(key)

export const openers: Readonly<Record<string, (given: { client: Redis; port: number }) => Opened | Promise<Opened>>> = {
  async ioredis({ client }) {
    const read = async (key: string): Promise<unknown> => {
      const text = await client.get(`plain:${key}`)
      if (text !== null) return JSON.parse(text)
      const value = await load(key)
      await client.set(`plain:${key}`, JSON.stringify(value), 'PX', TTL_MS)
      return value
    }
    return { read, raw: true }
  },
  millpond({ client }) {
    const store = valkeyStore(client)
    const memory = { maxEntries: NEAR_ENTRIES }
    const cache = createCache({ name: 'bench', ttl: TTL_MS, memory, store, storeTimeout: '10s', fence: '1m' })
    return { read: (key) => cache.getOrSet(key, () => load(key)), store }
  },
  'layered-loader'({ client }) {
    const loader = new Loader<ReturnType<typeof trade>>({
      inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: TTL_MS, maxItems: NEAR_ENTRIES },
      asyncCache: new RedisCache(client as never, { json: true, ttlInMsecs: TTL_MS, prefix: 'layered' }) as never,
      dataSourceGetOneFn: load,
    })
    return { read: (key) => loader.get(key) }
  },
  bentocache({ client }) {
    const near = memoryDriver({ maxItems: NEAR_ENTRIES })
    const store = bentostore().useL1Layer(near).useL2Layer(redisDriver(client))
    const bento = new BentoCache({ default: 'trades', ttl: TTL_MS, stores: { trades: store } })
    return { read: (key) => bento.getOrSet({ key, factory: () => load(key) }) }
  },
  'cache-manager'({ port }) {
    const near = new Keyv({ store: new CacheableMemory({ ttl: TTL_MS, lruSize: NEAR_ENTRIES }) })
    const cache = createCacheManager({ ttl: TTL_MS, stores: [near, redisKeyv(port, 'manager')] })
    return { read: (key) => cache.wrap(key, () => load(key)) }
  },
  cacheable({ port }) {
    const primary = new Keyv({ store: new KeyvCacheableMemory({ lruSize: NEAR_ENTRIES }) })
    const cache = new Cacheable({ ttl: TTL_MS, primary, secondary: redisKeyv(port, 'cacheable') })
    return { read: (key) => cache.getOrSet(key, () => load(key), { ttl: TTL_MS }) }
  },
}

/** As bentocache's own driver for ioredis, which can not be loaded beside another version of that. */
function redisDriver(client: Redis) {
  const named = (key: string): string => `bento:${key}`
  const driver = {
    type: 'l2' as const,
    namespace: () => driver,
    get: async (key: string) => (await client.get(named(key))) ?? undefined,
    pull: async (key: string) => (await client.getdel(named(key))) ?? undefined,
    async set(key: string, value: string, ttlMs?: number) {
      const told = ttlMs === undefined ? client.set(named(key), value) : client.set(named(key), value, 'PX', ttlMs)
      return (await told) === 'OK'
    },
    delete: async (key: string) => (await client.del(named(key))) > 0,
    deleteMany: async (keys: string[]) => keys.length === 0 || (await client.del(keys.map(named))) > 0,
    clear: async () => undefined,
    disconnect: async () => undefined,
  }
  return { options: {}, factory: () => driver } as never
}

function redisKeyv(port: number, namespace: string): Keyv {
  return new Keyv({ store: new KeyvRedis(`redis://127.0.0.1:${port}`), namespace, useKeyPrefix: false } as never)
}
