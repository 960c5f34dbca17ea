/** The contract of a store, on each topology with each client. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import { type RedisCluster, startCluster } from '../../../../../tools/servers/redis-cluster.ts'
import { type SentinelGroup, startSentinel } from '../../../../../tools/servers/redis-sentinel.ts'
import { storeContract } from '../../testing/contracts-store.ts'
import type { ValkeyClient } from './client.ts'
import { clusters, sentinels, singles } from './clients.fixture.ts'
import { type ValkeyStoreOptions, valkeyStore } from './index.ts'

const ends: (() => unknown)[] = []
const endLater = (end: () => unknown): void => void ends.push(end)
afterAll(async () => {
  for (const end of ends.reverse()) await end()
})

/** Runs the contract; all stores of one run share a client, as caches of one process do. */
function keepsTheContract(open: () => Promise<ValkeyClient | string>, options?: () => ValkeyStoreOptions): void {
  let target: ValkeyClient | string
  beforeAll(async () => {
    target = await open()
  })
  for (const { name, run } of storeContract)
    test.concurrent(name, { timeout: 20_000 }, () =>
      run({ open: () => valkeyStore(target, options?.()), pass: (ms) => sleep(ms), stretch: 5 }),
    )
}

describe('one server', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
    endLater(() => server.destroy())
  })
  for (const [name, open] of Object.entries(singles)) {
    describe(name, () => keepsTheContract(() => open(server, endLater)))
  }
  describe('a URL', () => keepsTheContract(async () => server.url))
  describe('a prefix', () => keepsTheContract(() => singles.ioredis!(server, endLater), () => ({ prefix: 'mill#' }))) // biome-ignore format: one line
})

describe('Sentinel', () => {
  let group: SentinelGroup
  beforeAll(async () => {
    group = await startSentinel({ replicas: 1 })
    endLater(() => group.destroy())
  }, 60_000)
  for (const [name, open] of Object.entries(sentinels)) {
    describe(name, () => keepsTheContract(() => open(group, endLater)))
  }
  describe('a URL', () => keepsTheContract(async () => `redis+sentinel://${group.addresses.map(({ host, port }) => `${host}:${port}`).join()}/${group.name}`)) // biome-ignore format: one line
})

describe('a cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster()
    endLater(() => cluster.destroy())
  }, 60_000)
  for (const [name, open] of Object.entries(clusters)) {
    describe(name, () => keepsTheContract(() => open(cluster.addresses, endLater)))
  }
  describe('a URL', () => keepsTheContract(async () => `redis+cluster://127.0.0.1:${cluster.addresses[0]!.port}`))
})
