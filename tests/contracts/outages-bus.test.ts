/** A bus between two processes that loses messages: the near tiers are not trusted afterwards. Rows: docs/outages.md. */
import { type Cache, createCache } from 'millpond'
import { type ValkeyBus, valkeyBus, valkeyStore } from 'millpond/valkey'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FaultyProxy, startProxy } from '../../tools/servers/proxy.ts'
import { type RedisServer, redisPrograms, startRedis } from '../../tools/servers/redis.ts'
import type { Fault } from './outages/trial.ts'

describe.each(redisPrograms())('%s', (program) => {
  let server: RedisServer
  let proxy: FaultyProxy
  let writer: Cache
  let reader: Cache
  let readersBus: ValkeyBus
  let gaps: number
  let version: number
  beforeAll(async () => {
    server = await startRedis({ program })
    proxy = await startProxy(server)
  })
  beforeEach(async () => {
    gaps = 0
    version = 1
    const buses = [server, proxy].map(({ port }) => valkeyBus(`redis://127.0.0.1:${port}`, { heartbeat: 150 }))
    ;[writer, reader] = buses.map((bus) => {
      return createCache({ name: 'shop', ttl: '10m', store: valkeyStore(server.url), bus })
    }) as [Cache, Cache]
    readersBus = buses[1]!
    await Promise.all(buses.map((bus) => bus.ready()))
    reader.on('busGap', () => gaps++)
    expect(await read(writer)).toBe(1)
    expect(await read(reader)).toBe(1)
  })
  afterEach(async () => {
    await proxy.heal()
    await Promise.all([writer.close(), reader.close()])
    await server.command('FLUSHALL')
  })
  afterAll(async () => {
    await proxy.close()
    await server.destroy()
  })

  const read = (cache: Cache) => cache.getOrSet('row', () => version)
  const write = async () => {
    version++
    await writer.delete('row')
  }

  test('a message voids what another process has near', async () => {
    await write()
    await expect.poll(() => read(reader)).toBe(2)
    expect(gaps).toBe(0)
  })

  const faults: Record<string, Fault> = {
    'is cut off': { strike: () => proxy.cut(), mend: () => proxy.heal() },
    'hears nothing, on connections that stay open': {
      strike: async () => proxy.swallow('toClient'),
      mend: () => proxy.heal(),
    },
    'is neither heard nor hears': { strike: async () => proxy.swallow(), mend: () => proxy.heal() },
    'hears late': { strike: async () => proxy.hold('toClient'), mend: () => proxy.heal() },
    'is reset': { strike: async () => proxy.reset(), mend: async () => undefined },
  }
  test.each(Object.keys(faults))('a process that %s reads what was written meanwhile, soon after', async (name) => {
    await faults[name]!.strike()
    await write()
    await faults[name]!.mend()
    await expect.poll(() => read(reader), { timeout: 10_000 }).toBe(2)
    // And it hears again.
    await expect.poll(() => readersBus.status().connected, { timeout: 10_000 }).toBe(true)
    await write()
    await expect.poll(() => read(reader), { timeout: 10_000 }).toBe(3)
  })

  test('a loss that nothing repairs is noticed by the heartbeat: the near tier is dropped', async () => {
    proxy.swallow('toClient')
    await write()
    await expect.poll(() => gaps, { timeout: 10_000 }).toBeGreaterThan(0)
    expect(await read(reader)).toBe(2)
  })

  test('a server that is killed takes messages with it: near tiers are dropped when it is back', async () => {
    await server.kill9()
    await write()
    await server.restart()
    await expect.poll(() => read(reader), { timeout: 10_000 }).toBe(2)
    await expect.poll(() => readersBus.status().connected, { timeout: 10_000 }).toBe(true)
    await write()
    await expect.poll(() => read(reader), { timeout: 10_000 }).toBe(3)
  })
})
