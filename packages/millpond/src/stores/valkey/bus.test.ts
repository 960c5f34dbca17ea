/** The contract of a bus, and what clients and servers do to one, on each topology with each client. */
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import { type RedisCluster, startCluster } from '../../../../../tools/servers/redis-cluster.ts'
import { type SentinelGroup, startSentinel } from '../../../../../tools/servers/redis-sentinel.ts'
import { startTlsRedis, type TlsRedis } from '../../../../../tools/servers/redis-tls.ts'
import { until } from '../../../../../tools/servers/until.ts'
import type { BusMessage } from '../../core/bus.ts'
import { OptionError, StoreError } from '../../core/errors.ts'
import { randomId } from '../../core/ids.ts'
import { type BusSubject, busContract } from '../../testing/contracts-bus.ts'
import { type ValkeyBus, valkeyBus } from './bus.ts'
import { makers, type Reach, reach, type Servers } from './bus-ends.fixture.ts'
import type { ValkeyBusOptions } from './bus-options.ts'
import { recognise } from './client.ts'
import { singles } from './clients.fixture.ts'
import { connectionOver } from './connection.ts'

const ends: (() => unknown)[] = []
afterAll(async () => {
  for (const end of ends.reverse()) await end()
}, 60_000)

/** Quick, but not so that a machine with other things to do takes a connection for dead. */
const heartbeat = 1000

interface Setting extends Servers {
  readonly primaries: () => Promise<readonly Pick<RedisServer, 'command'>[]>
}

/** Runs the contract, in which each end has a client and proxies of its own. */
function keepsTheContract(make: (typeof makers)['single'][string], setting: () => Setting): void {
  for (const { name, run } of busContract)
    test(name, () => withEnds(make, setting(), (subject) => run(subject as never)))
}

async function withEnds(
  make: (typeof makers)['single'][string],
  setting: Setting,
  run: (subject: BusSubject<ValkeyBus>) => Promise<void>,
): Promise<void> {
  const channel = randomId()
  const reaches = new Map<ValkeyBus, Reach>()
  const cut = new Set<ValkeyBus>()
  const connected = () => [...reaches.keys()].filter((bus) => !cut.has(bus) && bus.status().connected)
  const subject: BusSubject<ValkeyBus> = {
    async connect() {
      const made = await reach(make, setting)
      const bus = valkeyBus(made.client, { channel, heartbeat })
      reaches.set(bus, made)
      await bus.ready()
      return bus
    },
    /** What is not ours is counted, so a payload of that kind from each server shows what has arrived before it. */
    async delivered() {
      const before = connected().map((bus) => [bus, bus.status().ignored] as const)
      const primaries = await setting.primaries()
      for (const server of primaries) await server.command('PUBLISH', channel, 'probe')
      const arrived = ([bus, ignored]: (typeof before)[number]) => bus.status().ignored - ignored >= primaries.length
      await until('the probe arrives', async () => before.every(arrived))
    },
    async cut(bus) {
      cut.add(bus)
      await reaches.get(bus)!.cut()
    },
    async heal(bus) {
      await reaches.get(bus)!.heal()
      cut.delete(bus)
      const { client } = reaches.get(bus)!
      const ping = () => connectionOver(recognise(client, 'client')).sendToPrimaries(['ping'])
      // With each: it publishes by any of them.
      const primaries = await setting.primaries()
      const hasAll = (answers: readonly unknown[]) => answers.length === primaries.length
      const speaks = async () => bus.status().connected && (await ping().then(hasAll, () => false))
      await until('the client is connected again', speaks)
    },
  }
  try {
    await run(subject)
  } finally {
    await Promise.all([...reaches.keys()].map((bus) => bus.close()))
    await Promise.all([...reaches.values()].map((made) => made.end()))
  }
}

describe('one server', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
    ends.push(() => server.destroy())
  })
  const setting = (): Setting => ({ ports: [server.port], primaries: async () => [server] })
  describe.each(Object.entries(makers.single))('%s', (_, make) => {
    keepsTheContract(make, setting)

    test('a half-open connection is found, and what was missed is a gap', () =>
      withEnds(make, setting(), async ({ connect }) => {
        await connect()
        const own = await reach(make, setting())
        const bus = valkeyBus(own.client, { channel: 'half-open', heartbeat: 200 })
        await bus.ready()
        let gaps = 0
        bus.subscribe({ message() {}, gap: () => gaps++ })
        own.swallow()
        await until('it takes the connection for dead', async () => gaps > 0)
        await own.heal()
        await until('it is connected again', async () => bus.status().connected && gaps > 1)
        await bus.close()
        await own.end()
      }))
  })

  test.each(Object.entries(singles).slice(0, 4))(
    '%s, made without any care: what it keeps for later is told late, and is no harm',
    async (_, open) => {
      const clientEnds: (() => unknown)[] = []
      const client = await open(server, (end) => clientEnds.push(end))
      const [bus, other] = [valkeyBus(client, { heartbeat }), valkeyBus(await singles.ioredis!(server, (end) => clientEnds.push(end)), { heartbeat })] // biome-ignore format: one line
      await Promise.all([bus.ready(), other.ready()])
      const heard: (BusMessage | 'gap')[] = []
      other.subscribe({ message: (message) => heard.push(message), gap: () => heard.push('gap') })
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal')
      await bus.publish({ cache: 'shop', kind: 'delete', keys: ['a'] }).catch(() => {})
      await until('it is told, or a gap', async () => heard.length > 0)
      await bus.close()
      await other.close()
      for (const end of clientEnds) await end()
    },
  )

  test('leaves no connection behind, and the client to its owner', async () => {
    const connections = async () => String(await server.command('CLIENT', 'LIST')).split('\n').filter((line) => line !== '' && !line.includes('cmd=client')) // biome-ignore format: one line
    await until('the other tests have left', async () => (await connections()).length === 0)
    for (const [name, open] of Object.entries(singles).slice(0, 4)) {
      const clientEnds: (() => unknown)[] = []
      const client = await open(server, (end) => clientEnds.push(end))
      const bus = valkeyBus(client)
      await bus.ready()
      expect((await connections()).length, name).toBe(2)
      await bus.close()
      await until('its connection has ended', async () => (await connections()).length === 1)
      await connectionOver(recognise(client, 'client')).send(['ping'])
      for (const end of clientEnds) await end()
      await until('the client has ended', async () => (await connections()).length === 0)
    }
  })

  test('from a URL, a client is opened late, and ended with the bus; the password is in no error', async () => {
    const secured = await startRedis({ password: 'pond-secret' })
    const [sender, receiver] = [valkeyBus(secured.url, { heartbeat }), valkeyBus(secured.url, { heartbeat })]
    await Promise.all([sender.ready(), receiver.ready()])
    const heard: BusMessage[] = []
    receiver.subscribe({ message: (message) => heard.push(message), gap() {} })
    await sender.publish({ cache: 'shop', kind: 'clear' })
    await until('it arrives', async () => heard.length === 1)
    await Promise.all([sender.close(), receiver.close()])
    const connections = async () =>
      String(await secured.command('CLIENT', 'LIST'))
        .trim()
        .split('\n').length
    await until('the connections have ended', async () => (await connections()) === 1)

    const warned: unknown[] = []
    const logger = { warn: (...args: unknown[]) => warned.push(args), error() {} }
    const locked = valkeyBus(secured.url.replace('pond-secret', 'wrong-secret'), { heartbeat, logger })
    await until('it fails', async () => warned.length > 0)
    const failure: unknown = await locked.publish({ cache: 'shop', kind: 'clear' }).catch((error: unknown) => error)
    expect(inspect([warned, failure], { depth: 9 })).not.toMatch(/(pond|wrong)-secret/)
    expect(failure).toBeInstanceOf(StoreError)
    await locked.close()
    await secured.destroy()
  })

  const rights: [string, string, ValkeyBusOptions][] = [
    ['messages', '&millpond +publish +subscribe', {}],
    [
      'tracking',
      '&__redis__:invalidate &millpond:* +publish +subscribe +client|id +client|tracking +client|trackinginfo',
      { mode: 'tracking', names: ['shop'] },
    ],
  ]
  test.each(rights)('for %s, the rights that the documentation names are enough', async (mode, granted, options) => {
    const connecting = '+hello +client|setname +info +select +ping'
    await server.command('ACL', 'SETUSER', mode, 'on', '>pond', 'resetchannels', ...granted.split(' '), ...connecting.split(' ')) // biome-ignore format: one line
    for (const [name, open] of Object.entries(singles).slice(0, 4)) {
      const clientEnds: (() => unknown)[] = []
      const client = await open({ port: server.port, username: mode, password: 'pond' }, (end) => clientEnds.push(end))
      const bus = valkeyBus(client, { ...options, heartbeat: 300 })
      await bus.ready()
      await bus.publish({ cache: 'shop', kind: 'clear' })
      const { reconnects } = bus.status()
      await new Promise((resolve) => setTimeout(resolve, 650))
      expect(bus.status(), name).toMatchObject({ connected: true, reconnects })
      await bus.close()
      for (const end of clientEnds) await end()
    }
  })

  test('a pool, which cannot subscribe, is refused', async () => {
    const clientEnds: (() => unknown)[] = []
    const pool = await singles['node-redis pool']!(server, (end) => clientEnds.push(end))
    expect(() => valkeyBus(pool)).toThrow(OptionError)
    for (const end of clientEnds) await end()
  })
})

describe('TLS', () => {
  let server: TlsRedis
  beforeAll(async () => {
    server = await startTlsRedis({ password: 'pond' })
    ends.push(() => server.destroy())
  })
  describe.each(Object.entries(makers.single))('%s', (_, make) => {
    const logged: typeof make = (places) => make({ ...places, password: 'pond' })
    keepsTheContract(logged, () => ({ ports: [server.port], tls: server.client, primaries: async () => [server] }))
  })
})

describe('Sentinel', () => {
  let group: SentinelGroup
  beforeAll(async () => {
    group = await startSentinel({ replicas: 1 })
    ends.push(() => group.destroy())
  }, 60_000)
  const setting = (): Setting => ({
    ports: group.redis.servers.map(({ port }) => port),
    sentinel: { name: group.name, addresses: group.addresses },
    primaries: async () => [await group.primary()],
  })
  describe.each(Object.entries(makers.sentinel))('%s', (_, make) => {
    keepsTheContract(make, setting)
  })

  test('after a failover messages arrive again', () => {
    return allSurvive(makers.sentinel, setting(), () => group.failover())
  }, 60_000)
})

describe('a cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster()
    ends.push(() => cluster.destroy())
  }, 60_000)
  const setting = (): Setting => ({
    ports: cluster.servers.map(({ port }) => port),
    primaries: async () => primariesOf(cluster),
  })
  describe.each(Object.entries(makers.cluster))('%s', (_, make) => {
    keepsTheContract(make, setting)
  })

  test('when all primaries are replaced, messages arrive again', () => {
    return allSurvive(makers.cluster, setting(), () => replaceAll(cluster))
  }, 60_000)
})

/** With each client a pair of ends, all at once: servers do not vote for another failover so soon after one. */
async function allSurvive(
  makes: (typeof makers)['single'],
  setting: Setting,
  happening: () => Promise<unknown>,
): Promise<void> {
  const ready: Promise<unknown>[] = []
  let start!: () => void
  const started = new Promise<void>((resolve) => {
    start = resolve
  })
  const happened = started.then(happening)
  const runs = Object.values(makes).map((make) =>
    withEnds(make, setting, async ({ connect }) => {
      const both = Promise.all([connect(), connect()])
      ready.push(both)
      if (ready.length === Object.keys(makes).length) Promise.all(ready).then(start, start)
      await survives(...(await both), () => happened)
    }),
  )
  await Promise.all(runs)
}

async function replaceAll(cluster: RedisCluster): Promise<void> {
  for (const primary of await primariesOf(cluster)) {
    await cluster.failover(await cluster.replicaOf(primary))
    await primary.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
  }
  await cluster.healthy()
}

async function primariesOf(cluster: RedisCluster): Promise<RedisServer[]> {
  const roles = await Promise.all(cluster.servers.map((server) => server.info('role')))
  return cluster.servers.filter((_, at) => roles[at] === 'master')
}

/** Whatever happens, nothing is lost without a gap, and in the end what is said is heard. */
async function survives(sender: ValkeyBus, receiver: ValkeyBus, happening: () => Promise<unknown>): Promise<void> {
  const heard: string[] = []
  receiver.subscribe({ message: ({ keys = [] }) => heard.push(...keys), gap: () => heard.push('gap') })
  const said: string[] = []
  const failures: unknown[] = []
  let [isOver, overAt] = [false, Number.POSITIVE_INFINITY]
  const talking = (async () => {
    for (let at = 0; !isOver || (heard.at(-1) !== said.at(-1) && at < overAt + 500); at++) {
      said.push(`${at}`)
      const message = { cache: 'shop', kind: 'delete', keys: [`${at}`] } as const
      await sender.publish(message).catch((error: unknown) => failures.push(error))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  await happening()
  isOver = true
  overAt = said.length
  await talking
  const states = [sender, receiver].map((bus) => bus.status())
  expect(heard.at(-1), JSON.stringify({ states, said: said.length, failures: failures.length, last: String(failures.at(-1)) })).toBe(said.at(-1)) // biome-ignore format: one line
  const lost = said.filter((key) => !heard.includes(key))
  const unsaid = lost.filter(
    (key) => !heard.slice(0, heard.indexOf(`${nextHeard(heard, Number(key))}`)).includes('gap'),
  )
  expect(unsaid, 'lost without a gap before the next message').toEqual([])
}

function nextHeard(heard: readonly string[], key: number): number {
  return Math.min(...heard.filter((each) => each !== 'gap').map(Number).filter((each) => each > key)) // biome-ignore format: one line
}
