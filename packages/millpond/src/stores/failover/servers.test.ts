/** Failover between real servers, of one kind and of two. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freeze } from '../../../../../tools/servers/child.ts'
import { type MemcachedServer, startMemcached, startMemcacheds } from '../../../../../tools/servers/memcached.ts'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import type { Store, StoreRecord } from '../../core/store.ts'
import { storeContract } from '../../testing/contracts-store.ts'
import { memcachedStore } from '../memcached/index.ts'
import { valkeyStore } from '../valkey/index.ts'
import { type FailoverStore, failoverStore } from './index.ts'

const HOUR_MS = 3_600_000
/** More than the default, as the machine may be busy with other tests; a provider that is frozen costs it once. */
const TIMEOUT_MS = 400
const record: StoreRecord = { value: 'old', freshMs: HOUR_MS, keepMs: HOUR_MS, tags: [] }

/** A server, and a store on it. */
type Served = (RedisServer | MemcachedServer) & { readonly open: () => Store }

async function redis(): Promise<Served> {
  const server = await startRedis()
  return Object.assign(server, { open: () => valkeyStore(server.url) })
}

async function memcached(): Promise<Served> {
  const server = await startMemcached()
  return Object.assign(server, { open: () => memcachedStore(server.address) })
}

async function ring(): Promise<Served> {
  const [first, ...others] = await startMemcacheds(3)
  const addresses = [first!, ...others].map(({ address }) => address)
  const destroyFirst = first!.destroy.bind(first)
  const destroy = async (): Promise<void> => {
    await Promise.all([destroyFirst(), ...others.map((server) => server.destroy())])
  }
  return Object.assign(first!, { destroy, open: () => memcachedStore(addresses, { timeout: TIMEOUT_MS }) })
}

const mixes: Record<string, (() => Promise<Served>)[]> = {
  'Memcached, then Memcached': [memcached, memcached],
  'Redis, then Redis, then Memcached': [redis, redis, memcached],
  'three of Memcached together, then Redis': [ring, redis],
}

describe.each(Object.entries(mixes))('%s', (_, starts) => {
  let servers: Served[] = []
  beforeAll(async () => {
    servers = await Promise.all(starts.map((start) => start()))
  }, 60_000)
  afterAll(() => Promise.all(servers.map((server) => server.destroy())))

  const open = async (): Promise<FailoverStore> => {
    const providers = servers.map((server) => server.open())
    await Promise.all(providers.map((provider) => provider.read([], ['greeting'])))
    return failoverStore(providers, { timeout: TIMEOUT_MS })
  }

  describe('keep the contract of Store', () => {
    const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
    for (const { name, run } of storeContract)
      test.concurrent(name, { timeout: 20_000 }, () => run({ open, pass, stretch: 5 }))
  })
})

describe('Redis, then Memcached, then Memcached', () => {
  test('each is frozen or killed in its turn, and comes back: nothing old is found in any', {
    timeout: 60_000,
  }, async () => {
    const servers = await Promise.all([redis(), memcached(), memcached()])
    const providers = servers.map((server) => server.open())
    await Promise.all(providers.map((provider) => provider.read([], ['greeting'])))
    const store = failoverStore(providers, { timeout: TIMEOUT_MS })
    const serving = () => store.status().findIndex(({ serves }) => serves)
    const valueIn = async (key: string) => (await store.read([key], [])).entries[0]!.record?.value
    try {
      expect(await store.fill('deleted', record, '')).toBe(true)
      expect(await store.fill('kept', record, '')).toBe(true)
      await freeze(servers[0])
      expect(await valueIn('deleted'), 'answered by the second, in the same call').toBeUndefined()
      expect(serving()).toBe(1)
      const [mark] = await store.invalidate(['deleted'], 60_000, false)
      expect(await store.fill('deleted', { ...record, value: 'new' }, mark!)).toBe(true)
      expect(await valueIn('deleted')).toBe('new')
      await servers[1].kill9()
      expect(await valueIn('deleted')).toBeUndefined()
      expect(serving()).toBe(2)
      await freeze(servers[2])
      await expect(store.read(['deleted'], [])).rejects.toThrow('no provider answered read')
      servers[0].resume()
      await expect.poll(serving, { timeout: 10_000 }).toBe(0)
      expect(await valueIn('deleted')).toBeUndefined()
      expect(await valueIn('kept')).toBe('old')
      servers[2].resume()
      await servers[1].restart()
      await expect.poll(() => store.status().map(({ state, missed }) => `${state} ${missed}`), { timeout: 10_000 }).toEqual(['up 0', 'up 0', 'up 0']) // biome-ignore format: one line
    } finally {
      await store.close()
      await Promise.all(servers.map((server) => server.destroy()))
    }
  })
})
