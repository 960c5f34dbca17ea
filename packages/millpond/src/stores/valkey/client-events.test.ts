/** What a client tells of its connection, and who is told. */
import { afterEach, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import { startCluster } from '../../../../../tools/servers/redis-cluster.ts'
import { createCache } from '../../cache/cache.ts'
import type { IoClient, ValkeyClient } from './client.ts'
import { clusters, singles } from './clients.fixture.ts'
import { valkeyStore } from './index.ts'

const ends: (() => unknown)[] = []
const endLater = (end: () => unknown): void => void ends.push(end)
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function given(): Promise<RedisServer> {
  const server = await startRedis()
  endLater(() => server.destroy())
  return server
}

/** What a cache that works with a client from the start tells of, until it has found a value in the store. */
async function toldAtStart(client: ValkeyClient): Promise<string[]> {
  const told: string[] = []
  const options = { name: 'shop', storeTimeout: '5s', fence: '30s', lease: '30s', store: valkeyStore(client) } as const
  const cache = createCache({ ...options, memory: false })
  endLater(() => cache.close())
  cache.on('storeError', ({ error }) => told.push(String(error)))
  cache.on('storeState', ({ state }) => told.push(state))
  await cache.getOrSet('a', () => 1)
  await expect.poll(() => cache.get('a'), { timeout: 10_000 }).toBe(1)
  return told
}

test.each(Object.entries(singles))('%s: a client that connects for the first time is no failure', async (_, open) => {
  expect(await toldAtStart(await open(await given(), endLater))).toEqual([])
})

test.each(Object.entries(clusters))(
  '%s: a cluster that is met for the first time is no failure',
  async (_, open) => {
    const cluster = await startCluster({ primaries: 3, replicas: 0 })
    endLater(() => cluster.destroy())
    expect(await toldAtStart(await open(cluster.addresses, endLater))).toEqual([])
  },
  60_000,
)

test.each(['ioredis', 'iovalkey', 'node-redis'])('%s: its second connection is told', async (name) => {
  const server = await given()
  const store = valkeyStore(await singles[name]!(server, endLater))
  let doubts = 0
  store.watch!(() => doubts++)
  await store.read(['a'], [])
  expect(doubts).toBe(0)
  await server.command('CLIENT', 'KILL', 'TYPE', 'normal')
  await expect.poll(() => doubts, { timeout: 10_000 }).toBeGreaterThan(1)
})

test('many stores listen to one client as one, and leave nothing when they are closed', async () => {
  const client = await singles.ioredis!(await given(), endLater)
  await (client as IoClient).call('ping', []) // until it is connected it listens to itself
  const listeners = () =>
    ['close', 'ready'].map((event) => (client as never as NodeJS.EventEmitter).listenerCount(event))
  const before = listeners()
  const stores = Array.from({ length: 20 }, () => valkeyStore(client))
  const stops = stores.map((store) => store.watch!(() => undefined))
  expect(listeners()).toEqual(before.map((count) => count + 1))
  for (const stop of stops) stop()
  for (const store of stores) await store.close()
  expect(listeners()).toEqual(before)
})
