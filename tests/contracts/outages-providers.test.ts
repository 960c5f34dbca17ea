/** Three providers behind one store fail one after another: the cache goes on, at last on memory alone. Rows: docs/outages.md. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createCache } from 'millpond'
import { type FailoverStore, failoverStore } from 'millpond/failover'
import { memcachedStore } from 'millpond/memcached'
import { valkeyStore } from 'millpond/valkey'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type MemcachedServer, startMemcached } from '../../tools/servers/memcached.ts'
import { type RedisServer, startRedis } from '../../tools/servers/redis.ts'
import { expectHarmless, expectOutage } from './outages/expectations.ts'
import { runTrial } from './outages/trial.ts'

let first: RedisServer
let second: MemcachedServer
let third: RedisServer
beforeAll(async () => {
  ;[first, second, third] = await Promise.all([startRedis(), startMemcached(), startRedis()])
})
afterEach(() => Promise.all(servers().map((server) => server.pid === 0 && server.restart())))
afterAll(() => Promise.all(servers().map((server) => server.destroy())))

const servers = () => [first, second, third]
const store = (): FailoverStore =>
  failoverStore([valkeyStore(first.url), memcachedStore(second.address), valkeyStore(third.url)])

test('the first is killed: the next one stands in', async () => {
  const fault = { strike: () => first.kill9(), mend: () => first.restart() }
  const outcome = await runTrial({ fault, store })
  expectHarmless(outcome)
})

test('the first is frozen', async () => {
  const fault = { strike: async () => first.pause(), mend: async () => first.resume() }
  expectHarmless(await runTrial({ fault, store }))
})

test('all are killed one after another, and come back in the same order', async () => {
  const strike = async () => {
    for (const server of servers()) {
      await server.kill9()
      await sleep(200)
    }
  }
  const mend = async () => {
    for (const server of servers()) await server.restart()
  }
  expectOutage(await runTrial({ fault: { strike, mend }, store }), /no provider answered/)
})

test('with all of them gone, the near tier serves what it has and keeps what is loaded', async () => {
  const cache = createCache({ name: 'shop', ttl: '10m', store: store() })
  expect(await cache.getOrSet('kept', () => 1)).toBe(1)
  for (const server of servers()) await server.kill9()
  expect(await cache.getOrSet('kept', () => 2)).toBe(1)
  expect(await cache.getOrSet('new', () => 3)).toBe(3)
  expect(await cache.getOrSet('new', () => 4)).toBe(3)
  await cache.delete('kept')
  expect(await cache.getOrSet('kept', () => 5)).toBe(5)
  await cache.close()
})
