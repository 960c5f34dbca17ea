/** Memcached servers that die, freeze, are cut off or refuse, under requests. Rows: docs/outages.md. */
import { once } from 'node:events'
import net from 'node:net'
import { createCache } from 'millpond'
import { memcachedStore } from 'millpond/memcached'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MemcachedServer, startMemcached, startMemcacheds } from '../../tools/servers/memcached.ts'
import { type FaultyProxy, startProxy } from '../../tools/servers/proxy.ts'
import { expectHarmless, expectOutage } from './outages/expectations.ts'
import { type Fault, runTrial } from './outages/trial.ts'

/** More than the megabyte that a server takes by default. */
const LARGE = 2 << 20

describe('one server', () => {
  let server: MemcachedServer
  let proxy: FaultyProxy
  beforeAll(async () => {
    server = await startMemcached()
    proxy = await startProxy(server)
  })
  afterAll(async () => {
    await proxy.close()
    await server.destroy()
  })
  const trial = (port: number, fault: Fault, fromStart = false) =>
    runTrial({ fault, fromStart, store: () => memcachedStore(`127.0.0.1:${port}`) })

  test('killed, and started again', async () => {
    const fault = { strike: () => server.kill9(), mend: () => server.restart() }
    expectOutage(await trial(server.port, fault), /closed|ECONNREFUSED|broke/)
  })

  test('frozen, and going on', async () => {
    const fault = { strike: async () => server.pause(), mend: async () => server.resume() }
    expectOutage(await trial(server.port, fault), /did not answer/)
  })

  test('cut off, and reset when the way is open again', async () => {
    const fault = { strike: async () => proxy.swallow(), mend: () => proxy.heal() }
    expectOutage(await trial(proxy.port, fault), /did not answer/)
  })

  test('cut off, and what was sent arrives when the way is open again', async () => {
    const fault = { strike: async () => proxy.hold(), mend: () => proxy.heal() }
    expectOutage(await trial(proxy.port, fault), /did not answer/)
  })

  test('connections are reset, again and again', async () => {
    let timer: NodeJS.Timeout | undefined
    const strike = async () => void (timer = setInterval(() => proxy.reset(), 100))
    expectHarmless(await trial(proxy.port, { strike, mend: async () => clearInterval(timer) }))
  })

  test('absent at the start', async () => {
    const fault = { strike: () => server.kill9(), mend: () => server.restart() }
    expectOutage(await trial(server.port, fault, true), /ECONNREFUSED/)
  })
})

test('too many connections: it takes no more until others are gone', async () => {
  await using server = await startMemcached({ args: ['-c', '40', '-t', '1'] })
  const others: net.Socket[] = []
  const strike = async () => {
    for (let count = 0; count < 40; count++) {
      const socket = net.connect(server.port, '127.0.0.1').on('error', () => undefined)
      others.push(socket)
      await once(socket, 'connect')
    }
  }
  const mend = async () => {
    for (const socket of others) socket.destroy()
    await Promise.all(others.map((socket) => socket.closed || once(socket, 'close')))
  }
  const store = () => memcachedStore(server.address)
  expectOutage(
    await runTrial({ fault: { strike, mend }, fromStart: true, store }),
    /too many|closed|did not answer|ECONNRESET/i,
  )
})

test('it asks for a password that the URL does not have: it is left alone, and answers come from the source', async () => {
  await using server = await startMemcached({ password: 'pond' })
  const store = memcachedStore(server.address)
  const cache = createCache({ name: 'shop', memory: false, store, storeTimeout: '10s' })
  const errors: string[] = []
  cache.on('storeError', ({ error }) => errors.push(String(error)))
  expect(await cache.getOrSet('k', () => 1)).toBe(1)
  expect(await cache.getOrSet('k', () => 2)).toBe(2)
  expect(errors.join('\n')).toMatch(/unauthenticated|auth/i)
  await cache.close()
})

test('a value that is too large is refused alone: the store stays in use', async () => {
  await using server = await startMemcached()
  const store = memcachedStore(server.address)
  const cache = createCache({ name: 'shop', memory: false, store, storeTimeout: '10s' })
  const states: string[] = []
  const errors: string[] = []
  cache.on('storeState', ({ state }) => states.push(state))
  cache.on('storeError', ({ error }) => errors.push(String(error)))
  expect(await cache.getOrSet('large', () => 'x'.repeat(LARGE))).toHaveLength(LARGE)
  await expect.poll(() => errors.join('\n')).toMatch(/more than the \d+ that the server takes/)
  let loads = 0
  const small = () => cache.getOrSet('small', () => ++loads)
  await small()
  await expect.poll(small).toBe(1)
  expect(states).toEqual([])
  await cache.close()
})

describe('three servers', () => {
  let servers: MemcachedServer[]
  beforeAll(async () => {
    servers = await startMemcacheds(3)
  })
  afterAll(() => Promise.all(servers.map((server) => server.destroy())))
  const store = () => memcachedStore(servers.map(({ address }) => address))

  test('one is killed: its keys come from the source, the others are used on, and nothing is lost', async () => {
    const fault = { strike: () => servers[1]!.kill9(), mend: () => servers[1]!.restart() }
    const outcome = await runTrial({ fault, store })
    expectHarmless(outcome)
  })

  test('one is frozen', async () => {
    const fault = { strike: async () => servers[0]!.pause(), mend: async () => servers[0]!.resume() }
    expectHarmless(await runTrial({ fault, store }))
  })

  test('all are killed', async () => {
    const strike = () => Promise.all(servers.map((server) => server.kill9()))
    const mend = () => Promise.all(servers.map((server) => server.restart()))
    expectOutage(await runTrial({ fault: { strike, mend }, store }), /./)
  })
})
