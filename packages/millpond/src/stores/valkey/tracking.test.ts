/** What a tracking bus is told by real servers, with each client that can ask for it. */
import { createSentinel } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import { type RedisCluster, startCluster } from '../../../../../tools/servers/redis-cluster.ts'
import { until } from '../../../../../tools/servers/until.ts'
import { createCache } from '../../cache/cache.ts'
import type { BusMessage } from '../../core/bus.ts'
import { ClosedError, OptionError } from '../../core/errors.ts'
import { type ValkeyBus, valkeyBus } from './bus.ts'
import { makers, type Reach, reach, type Servers } from './bus-ends.fixture.ts'
import { valkeyStore } from './store.ts'
import { TrackedNames } from './tracked-names.ts'

const ends: (() => unknown)[] = []
afterAll(async () => {
  for (const end of ends.reverse()) await end()
}, 60_000)

/** Quick, but not so that a machine with other things to do takes a connection for dead. */
const heartbeat = 300

interface Tracking {
  readonly reach: Reach
  readonly bus: ValkeyBus
  readonly heard: (BusMessage | 'gap')[]
}

async function withTracking(
  make: (typeof makers)['single'][string],
  servers: Servers,
  run: (tracking: Tracking) => Promise<void>,
): Promise<void> {
  const made = await reach(make, servers)
  const bus = valkeyBus(made.client, { mode: 'tracking', names: ['shop', 'side'], heartbeat })
  const heard: Tracking['heard'] = []
  try {
    await bus.ready()
    bus.subscribe({ message: (message) => heard.push(message), gap: () => heard.push('gap') })
    await run({ reach: made, bus, heard })
  } finally {
    await bus.close()
    await made.end()
  }
}

const keysOf = (heard: Tracking['heard']) => heard.flatMap((each) => (each === 'gap' ? [] : (each.keys ?? [])))
const tagsOf = (heard: Tracking['heard']) => heard.flatMap((each) => (each === 'gap' ? [] : (each.tags ?? [])))

describe('one server', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
    ends.push(() => server.destroy())
  })
  const servers = () => ({ ports: [server.port] })

  describe.each(Object.entries(makers.single))('%s', (_, make) => {
    test('writes by anyone to the keys and tags of its caches are told, and no others', () =>
      withTracking(make, servers(), async ({ heard }) => {
        for (const key of [
          'shop:17',
          'shop/users:a,b',
          'other:1',
          'shopping:1',
          '@shop:17',
          '#shop#hot',
          '#side#\0ns',
          'side:ü',
        ])
          await server.command('SET', key, '1')
        await server.command('DEL', 'shop:17')
        await until('all is told', async () => keysOf(heard).length === 4 && tagsOf(heard).length === 2)
        expect(keysOf(heard)).toEqual(['17', '\0users:a,b', 'ü', '17'])
        expect(tagsOf(heard)).toEqual(['hot', '\0ns'])
        heard.length = 0
        await server.command('SET', '#shop#', '1')
        await until('it is told', async () => heard.length > 0)
        expect(heard).toEqual([{ cache: 'shop', kind: 'clear' }])
        heard.length = 0
        await server.command('FLUSHALL')
        await until('it is told', async () => heard.length === 2)
        expect(heard).toEqual([
          { cache: 'shop', kind: 'clear' },
          { cache: 'side', kind: 'clear' },
        ])
      }))

    test('what expires at the server is told', () =>
      withTracking(make, servers(), async ({ heard }) => {
        await server.command('SET', 'shop:short', '1', 'PX', '5')
        await until('both are told', async () => keysOf(heard).length === 2)
        expect(keysOf(heard)).toEqual(['short', 'short'])
      }))

    test('a cache is kept fresh, and does not hear what it does itself', () =>
      withTracking(make, servers(), async ({ reach: { client }, bus, heard }) => {
        await server.command('FLUSHALL')
        await until('that is told', async () => heard.length === 2)
        const [first, second] = [client, undefined].map((own) => {
          const target = own ?? server.url
          return createCache({ name: 'shop', store: valkeyStore(target), ...(own ? { bus } : {}), storeTimeout: '2s' })
        }) as [ReturnType<typeof createCache>, ReturnType<typeof createCache>]
        let value = 1
        const read = (cache: typeof first) => cache.getOrSet('a', () => value, { tags: ['t'] })
        await read(first)
        await until('it is stored', async () => (await server.command('EXISTS', 'shop:a')) === 1)
        await until('versions made by it are not told', async () => first.peek('a') === 1)
        heard.length = 0
        expect(await read(second)).toBe(1)
        value = 2
        await second.deleteByTag('t')
        await until('the tag is told', async () => first.peek('a') === undefined)
        expect(await read(first)).toBe(2)
        value = 3
        await second.delete('a')
        await until('the key is told', async () => first.peek('a') === undefined)
        expect(await read(first)).toBe(3)
        await Promise.all([first.close(), second.close()])
      }))

    test.each(['cut', 'swallow'] as const)('a lost connection is a gap, and tracking begins again: %s', (how) =>
      withTracking(make, servers(), async ({ reach: made, bus, heard }) => {
        await made[how]()
        await until('it is found', async () => heard.includes('gap'))
        await server.command('SET', 'shop:missed', '1')
        await made.heal()
        await until('it is connected again', async () => bus.status().connected)
        await until('the gap is told', async () => heard.filter((each) => each === 'gap').length >= 2)
        await until('it hears again', async () => {
          await server.command('SET', 'shop:next', '1')
          return keysOf(heard).includes('next')
        })
        expect(heard[0]).toBe('gap')
        expect(keysOf(heard)).not.toContain('missed')
      }),
    )

    test('a listening connection that the server ends, and tracking that somebody turns off, are gaps', () =>
      withTracking(make, servers(), async ({ reach: { client }, bus, heard }) => {
        await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
        await until('it is connected again', async () => heard.includes('gap') && bus.status().connected)
        heard.length = 0
        const command = ['client', 'tracking', 'off']
        if ('call' in client) await client.call('client', command.slice(1))
        else await (client as unknown as { sendCommand(args: string[]): Promise<unknown> }).sendCommand(command)
        await until('it is found', async () => heard.includes('gap'))
        await until('it hears again', async () => {
          await server.command('SET', 'shop:again', '1')
          return keysOf(heard).includes('again')
        })
      }))

    test('leaves the client as it was', async () => {
      const made = await reach(make, servers())
      const bus = valkeyBus(made.client, { mode: 'tracking', names: ['shop'], heartbeat })
      await bus.ready()
      await bus.publish({ cache: 'shop', kind: 'clear' })
      await bus.close()
      await expect(bus.publish({ cache: 'shop', kind: 'clear' })).rejects.toThrow(ClosedError)
      const listed = async () =>
        String(await server.command('CLIENT', 'LIST'))
          .trim()
          .split('\n')
      await until('its connection has ended', async () => (await listed()).length === 2)
      expect((await listed()).filter((line) => /flags=\w*[tBR]/.test(line))).toEqual([])
      await made.end()
    })
  })
})

describe('a cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster()
    ends.push(() => cluster.destroy())
  }, 60_000)

  test('every client hears of keys of every primary, and after a failover of those of the new one', async () => {
    const ports = cluster.servers.map(({ port }) => port)
    const names = Array.from({ length: 30 }, (_, at) => `${at}`)
    const write = async (key: string) => {
      const owner = await cluster.ownerOf(await cluster.slotOf(`shop:${key}`))
      await owner.command('SET', `shop:${key}`, '1')
    }
    let started = 0
    let replaced: Promise<void> | undefined
    const replace = async () => {
      const owner = await cluster.ownerOf(await cluster.slotOf('shop:0'))
      await cluster.failover(await cluster.replicaOf(owner))
    }
    const makes = Object.values(makers.cluster)
    const runs = makes.map((make) =>
      withTracking(make, { ports }, async ({ heard }) => {
        for (const key of names) await write(key)
        await until('all are told', async () => new Set(keysOf(heard)).size === names.length)
        started++
        await until('the others are there too', async () => started >= makes.length)
        replaced ??= replace()
        await replaced
        // A client that has not noticed hears of them from the old primary, which has them as a replica.
        heard.length = 0
        await until('all are told again', async () => {
          for (const key of names) await write(key)
          return new Set(keysOf(heard)).size === names.length
        })
      }),
    )
    await Promise.all(runs)
  }, 60_000)
})

test('keys of servers are read as stores write them', () => {
  const names = new TrackedNames(['shop', 'shop'], 'mill:')
  expect(names.prefixes).toEqual(['mill:shop:', 'mill:shop/', 'mill:#shop#'])
  expect(
    names.messages(['mill:shop:\uFFFDd800', 'mill:#shop#\uFFFDfffd', 'shop:1', 'mill:@shop:1', 'mill:x:1']),
  ).toEqual([{ cache: 'shop', kind: 'delete', keys: ['\uD800'], tags: ['\uFFFD'] }])
})

test('what tracking cannot work with is refused', () => {
  const names = ['shop']
  expect(() => valkeyBus('redis://127.0.0.1:1', { mode: 'tracking', names })).toThrow(OptionError)
  const client = { call() {}, duplicate() {}, subscribe() {} } as never
  expect(() => valkeyBus(client, { mode: 'tracking' })).toThrow('names')
  expect(() => valkeyBus(client, { mode: 'tracking', names: ['a:b'] })).toThrow('names')
  expect(() => valkeyBus(client, { mode: 'gossip' as never })).toThrow('mode')
  expect(() => valkeyBus(client, { heartbeat: 0 })).toThrow('heartbeat')
  expect(() => valkeyBus(client, { channel: '' })).toThrow('channel')
  const sentinel = createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] })
  expect(() => valkeyBus(sentinel, { mode: 'tracking', names })).toThrow('iovalkey or ioredis')
})
