/** Replicas, failover and broken connections: what stays safe, and who is told. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../../../tools/servers/redis.ts'
import { startCluster } from '../../../../../tools/servers/redis-cluster.ts'
import { startReplicated } from '../../../../../tools/servers/redis-replicated.ts'
import { startSentinel } from '../../../../../tools/servers/redis-sentinel.ts'
import { StoreError } from '../../core/errors.ts'
import type { Store, StoreRecord } from '../../core/store.ts'
import type { IoClient, ValkeyClient } from './client.ts'
import { clusters, sentinels, singles } from './clients.fixture.ts'
import { valkeyStore } from './index.ts'

const record: StoreRecord = { value: 'old', freshMs: 60_000, keepMs: 60_000, tags: [] }
const ends: (() => unknown)[] = []
const endLater = (end: () => unknown): void => void ends.push(end)
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Ways to a client or a URL. */
type Openers<Open extends (...args: never[]) => unknown> = Record<
  string,
  (...args: Parameters<Open>) => Promise<ValkeyClient | string>
>

const readOf = async (store: Store, key: string) => (await store.read([key], [])).entries[0]!
/** Works again within the bound: puts a tombstone and fills it. */
async function recovers(store: Store, key = 'again'): Promise<void> {
  const attempt = async () => {
    const [mark] = await store.invalidate([key], 5000, false)
    return await store.fill(key, record, mark!)
  }
  await expect.poll(() => attempt().catch(() => false), { timeout: 15_000, interval: 50 }).toBe(true)
}

describe('replicas to read from', () => {
  async function given() {
    const group = await startReplicated({ replicas: 2 })
    endLater(() => group.destroy())
    const clients = await Promise.all(group.servers.map((server) => singles.iovalkey!(server, endLater)))
    for (const client of clients) await (client as IoClient).call('ping', []) // connected
    const store = valkeyStore(clients[0]!, { replicas: clients.slice(1) })
    return { ...group, store, primaryStore: valkeyStore(clients[0]!) }
  }
  const readsOf = async (server: RedisServer) => {
    const stats = String(await server.command('INFO', 'commandstats'))
    return Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }

  test('share the reads; the primary has none', async () => {
    const { store, primary, replicas } = await given()
    for (let at = 0; at < 10; at++) await store.read(['a'], [])
    expect(await Promise.all([primary, ...replicas].map(readsOf))).toEqual([0, 5, 5])
  })

  test('a replica that lags behind gives old values and old marks, and no fill on those is accepted', async () => {
    const { store, primaryStore, replicas, caughtUp } = await given()
    await store.fill('a', record, '')
    await caughtUp()
    const lagging = async () => {
      for (const replica of replicas) await replica.command('REPLICAOF', 'NO', 'ONE') // follows nobody: as far behind as can be
    }
    await lagging()
    await store.invalidate(['a', 'b'], 60_000, false)
    for (const key of ['a', 'b']) {
      const stale = await readOf(store, key)
      expect(stale.mark).not.toBe((await readOf(primaryStore, key)).mark)
      expect(await store.fill(key, record, stale.mark)).toBe(false)
    }
    expect((await readOf(store, 'a')).record?.value).toBe('old')
  })

  test('a tag that a replica does not know yet keeps the version that the primary has', async () => {
    const { store, primaryStore, replicas } = await given()
    for (const replica of replicas) await replica.command('REPLICAOF', 'NO', 'ONE')
    const { versions } = await primaryStore.read([], ['t'])
    expect((await store.read([], ['t'])).versions).toEqual(versions)
  })

  test('one that refuses to answer is passed over', async () => {
    const { store, replicas } = await given()
    for (const replica of replicas) {
      await replica.command('CONFIG', 'SET', 'replica-serve-stale-data', 'no')
      await replica.command('REPLICAOF', '127.0.0.1', 1) // where nobody is
    }
    await store.fill('a', record, '')
    for (let at = 0; at < 2; at++) expect((await readOf(store, 'a')).record?.value).toBe('old')
  })

  test('one that is gone is passed over', async () => {
    const { store, replicas, caughtUp } = await given()
    await replicas[0]!.destroy()
    await store.fill('a', record, '')
    await caughtUp()
    for (let at = 0; at < 4; at++) expect((await readOf(store, 'a')).record?.value).toBe('old')
    await replicas[1]!.destroy()
    expect((await readOf(store, 'a')).record?.value).toBe('old')
  })

  test('one that was never there is not connected to by every read', async () => {
    const server = await startRedis()
    endLater(() => server.destroy())
    let attempts = 0
    const nobody = createServer((socket) => socket.destroy())
      .on('connection', () => attempts++)
      .listen(0, '127.0.0.1')
    endLater(() => nobody.close())
    await once(nobody, 'listening')
    const { port } = nobody.address() as AddressInfo
    const store = valkeyStore(server.url, { replicas: [`redis://127.0.0.1:${port}`] })
    endLater(() => store.close())
    const beganMs = performance.now()
    while (performance.now() - beganMs < 500) {
      await readOf(store, 'a')
      await setTimeout(1)
    }
    expect(attempts).toBeGreaterThan(0)
    expect(attempts).toBeLessThan(2 + (performance.now() - beganMs) / 50)
  })
})

describe.each(Object.entries(singles))('one server, %s', (_, open) => {
  test('a connection that breaks is told, what is asked meanwhile fails or waits, and then all works again', async () => {
    const server = await startRedis()
    endLater(() => server.destroy())
    const store = valkeyStore(await open(server, endLater))
    await store.read(['a'], [])
    let doubts = 0
    const stop = store.watch!(() => doubts++)
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await expect.poll(() => doubts, { timeout: 10_000 }).toBeGreaterThan(0)
    await recovers(store)
    stop()
    const before = doubts
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await recovers(store)
    expect(doubts).toBe(before)
    await store.close()
  }, 30_000)
})

describe('a URL', () => {
  test('a server that is gone is told at once, not queued for; nothing is unhandled', async () => {
    const server = await startRedis()
    const store = valkeyStore(server.url)
    endLater(() => store.close())
    await store.read(['a'], [])
    let doubts = 0
    store.watch!(() => doubts++)
    await server.destroy()
    await expect.poll(() => doubts).toBeGreaterThan(0)
    const answers = await Promise.allSettled([
      store.read(['a'], ['t']),
      store.fill('a', record, ''),
      store.invalidate(['a', 'b'], 5000, false),
      store.bump(['t'], undefined),
      store.lease('a', 'me', 5000),
      store.release('a', 'me'),
    ])
    for (const answer of answers) expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(StoreError) })
    const back = await startRedis({ port: server.port })
    endLater(() => back.destroy())
    await recovers(store)
  }, 30_000)

  test('a replica refuses writes, and says so', async () => {
    const { replicas, destroy } = await startReplicated({ replicas: 1 })
    endLater(destroy)
    const store = valkeyStore(replicas[0]!.url)
    endLater(() => store.close())
    await expect(store.invalidate(['a'], 5000, false)).rejects.toThrow(/READONLY/)
  }, 30_000)

  test('one server of a cluster, without being told so, is refused with what to write instead', async () => {
    const cluster = await startCluster({ primaries: 3, replicas: 0 })
    endLater(() => cluster.destroy())
    const store = valkeyStore(`redis://127.0.0.1:${cluster.addresses[0]!.port}`)
    endLater(() => store.close())
    const keys = ['a', 'b', 'c', 'd'].map((key) => store.invalidate([key], 5000, false))
    const refused = (await Promise.allSettled(keys)).find((one) => one.status === 'rejected')
    expect(String(refused?.reason)).toMatch(/MOVED.*redis\+cluster:/)
  }, 60_000)
})

describe('Sentinel', () => {
  const opened: Openers<(typeof sentinels)[string]> = {
    ...sentinels,
    'a URL': async ({ name, addresses }) =>
      `redis+sentinel://${addresses.map(({ port }) => `127.0.0.1:${port}`).join()}/${name}`,
  }
  test.each(Object.entries(opened))(
    '%s: another primary is told, and used',
    async (_, open) => {
      const group = await startSentinel({ replicas: 1 })
      endLater(() => group.destroy())
      const store = valkeyStore(await open(group, endLater))
      endLater(() => store.close())
      await recovers(store, 'before')
      let doubts = 0
      store.watch!(() => doubts++)
      const before = await group.primary()
      await before.destroy()
      const after = await group.promoted(before)
      await recovers(store)
      expect(doubts).toBeGreaterThan(0)
      expect(await after.command('EXISTS', 'again')).toBe(1)
    },
    60_000,
  )
})

describe('a cluster', () => {
  const opened: Openers<(typeof clusters)[string]> = {
    ...clusters,
    'a URL': async ([node]) => `redis+cluster://127.0.0.1:${node!.port}`,
  }
  test.each(Object.entries(opened))(
    '%s: a slot that moves, and a primary that dies',
    async (_, open) => {
      const cluster = await startCluster()
      endLater(() => cluster.destroy())
      const store = valkeyStore(await open(cluster.addresses, endLater))
      endLater(() => store.close())
      await recovers(store, 'key')
      const slot = await cluster.slotOf('key')
      const from = await cluster.ownerOf(slot)
      const to = cluster.servers.slice(0, 3).find((server) => server !== from)!
      await cluster.moveSlot(slot, to, async () => {
        expect((await readOf(store, 'key')).record?.value).toBe('old')
        await store.invalidate(['key'], 5000, false)
      })
      expect((await readOf(store, 'key')).record).toBeUndefined()
      await recovers(store, 'key')
      let doubts = 0
      store.watch!(() => doubts++)
      const replica = await cluster.replicaOf(to)
      await to.destroy()
      await cluster.promoted(replica)
      await recovers(store, 'key')
      expect(doubts).toBeGreaterThan(0)
      expect(await replica.command('EXISTS', 'key')).toBe(1)
    },
    60_000,
  )
})
