/** One feeder for many processes: what a follower is told keeps the contract of a feed, over every bus. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Bus, type BusMessage, createCache } from 'millpond'
import { joinMesh } from 'millpond/mesh'
import { cachePool, type PostgresFeed, positionOf, postgresFeed, type ReadMode, rowTag } from 'millpond/postgres'
import { feedContract, MemoryBusHub } from 'millpond/testing'
import { valkeyBus } from 'millpond/valkey'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../packages/millpond/src/core/random.ts'
import { type PostgresServer, startPostgres } from '../../tools/servers/postgres.ts'
import { FeedRecorder, Sessions } from '../../tools/servers/postgres-probe.ts'
import { type RedisServer, startRedis } from '../../tools/servers/redis.ts'

let server: PostgresServer
let redis: RedisServer
const ends: (() => unknown)[] = []

beforeAll(async () => {
  ;[server, redis] = await Promise.all([startPostgres(), startRedis()])
})
afterAll(async () => {
  for (const end of ends.reverse()) await end()
  await server?.destroy()
  await redis?.destroy()
})

/** Two ends of a bus. */
type Connect = () => Promise<[Bus, Bus]>

const buses: Record<string, Connect> = {
  'a bus in memory that says things twice, in pieces, and loses what followers ask': async () => {
    const hub = new MemoryBusHub()
    const random = seededRandom(5)
    return [new Careless(hub.connect(), random), new Careless(hub.connect(), random)]
  },

  async 'a mesh'() {
    const name = `relay-${randomBytes(6).toString('hex')}`
    const join = async (peer: string): Promise<Bus> => {
      const mesh = await joinMesh({ name, peer, key: '5e'.repeat(32), transport: { interface: '127.0.0.1' } })
      ends.push(() => mesh.leave())
      return mesh.bus()
    }
    return [await join('one'), await join('other')]
  },

  async Redis() {
    const connect = async (): Promise<Bus> => {
      const bus = valkeyBus(redis.url)
      ends.push(() => bus.close())
      await bus.ready()
      return bus
    }
    return [await connect(), await connect()]
  },
}

/** A bus that may split messages and bring them twice, as a bus may; what is asked of the feeder it sometimes loses. */
class Careless implements Bus {
  private readonly end: Bus
  private readonly random: () => number

  constructor(end: Bus, random: () => number) {
    this.end = end
    this.random = random
  }

  async publish(message: BusMessage): Promise<void> {
    if (message.cache.includes('asks') && this.random() < 0.3) return
    const pieces = this.random() < 0.5 ? [message] : (message.keys ?? []).map((key) => ({ ...message, keys: [key] }))
    await Promise.all(pieces.flatMap((piece) => [piece, piece]).map((piece) => this.end.publish(piece)))
  }

  subscribe(receiver: Parameters<Bus['subscribe']>[0]): () => void {
    return this.end.subscribe(receiver)
  }

  close(): Promise<void> {
    return this.end.close()
  }
}

describe.each(Object.entries(buses))('a feed that follows over %s', (name, connect) => {
  let sessions: Sessions
  let writer: pg.Client
  let feeds: PostgresFeed[]
  let follower: PostgresFeed

  beforeAll(async () => {
    const database = `relay_${Object.keys(buses).indexOf(name)}`
    sessions = new Sessions(server)
    await (await sessions.open()).query(`CREATE DATABASE ${database}`)
    writer = await sessions.open({ database })
    await writer.query(
      'CREATE TABLE rows (id int PRIMARY KEY, n int); INSERT INTO rows SELECT i, 0 FROM generate_series(1, 8) i',
    )
    feeds = (await connect()).map((bus) =>
      postgresFeed({ connectionString: server.urlOf({ database }), tables: ['rows'], relay: { bus } }),
    )
    await feeds[0]!.ready()
    follower = feeds[1]!
    await follower.ready()
  })
  afterAll(async () => {
    for (const feed of feeds ?? []) await feed.close()
    await sessions?.end()
  })

  for (const { name: check, run } of feedContract)
    test(check, () =>
      run({
        feed: follower,
        table: 'rows',
        rowTag: (row) => rowTag('rows', row),
        async commit(row) {
          await writer.query('UPDATE rows SET n = n + 1 WHERE id = $1', [row])
          return positionOf(writer)
        },
        async caughtUp() {
          await follower.ready()
          await follower.reached(await positionOf(writer), 10_000)
          await follower.settled(10_000)
        },
        async interrupt() {
          const heard = new FeedRecorder()
          const leave = follower.subscribe(heard)
          await writer.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'")
          await heard.until(() => heard.resets.length > 0)
          leave()
        },
        nowMs: () => performance.now(),
      }),
    )

  test('one process has a slot, and the other takes its place', async () => {
    const roles = (): unknown[] => feeds.map((feed) => feed.status().role)
    await Promise.all(feeds.map((feed) => feed.ready()))
    expect(roles().toSorted()).toEqual(['feeder', 'follower'])
    const { rows } = await writer.query('SELECT FROM pg_replication_slots WHERE database = current_database()')
    expect(rows).toHaveLength(1)
    const at = roles().indexOf('feeder')
    const other = feeds[1 - at]!
    await feeds[at]!.close()
    const heard = new FeedRecorder()
    other.subscribe(heard)
    while (other.status().role !== 'feeder') await new Promise((resolve) => setTimeout(resolve, 10))
    await other.ready()
    await writer.query('UPDATE rows SET n = n + 1 WHERE id = 1')
    await heard.until(() => heard.invalidated.flat().includes('rows:1'))
  })
})

test('cached queries of a follower: own writes, strict reads, and what does not matter is kept', async () => {
  const database = 'relay_queries'
  const sessions = new Sessions(server)
  await (await sessions.open()).query(`CREATE DATABASE ${database}`)
  const writer = await sessions.open({ database })
  await writer.query(`CREATE TABLE rows (id int PRIMARY KEY, tenant int, n int);
    ALTER TABLE rows REPLICA IDENTITY FULL; INSERT INTO rows SELECT i, i % 2, 0 FROM generate_series(1, 8) i`)
  const connectionString = server.urlOf({ database })
  const hub = new MemoryBusHub()
  const [feeder, feed] = [true, false].map((feeds) =>
    postgresFeed({ connectionString, tables: ['rows'], relay: { bus: hub.connect(), feeds } }),
  ) as [PostgresFeed, PostgresFeed]
  const cache = createCache({ feed })
  const raw = new pg.Pool({ connectionString, max: 2 }).on('error', () => {})
  const pool = cachePool(raw, { cache, feed, wait: '10s' })
  try {
    await feeder.ready()
    await feed.ready()
    expect(feed.status().role).toBe('follower')
    const sum = async (tenant: number, read: ReadMode = 'bounded'): Promise<number> => {
      const text = 'SELECT sum(n)::int AS sum FROM rows WHERE tenant = $1'
      return (await pool.query({ text, values: [tenant], read } as pg.QueryConfig)).rows[0].sum
    }
    for (let n = 1; n <= 20; n++) {
      await pool.query('UPDATE rows SET n = $1 WHERE id = 1', [n])
      expect(await sum(1)).toBe(n)
      await writer.query('UPDATE rows SET n = $1 WHERE id = 2', [n])
      expect(await sum(0, 'strict')).toBe(n)
    }
    // Once the feeder has heard of what is watched here, changes of one tenant leave the other's answers alone.
    const isKept = async (): Promise<boolean> => {
      await sum(1, 'strict')
      const { loads } = pool.status()
      await writer.query('UPDATE rows SET n = n + 1 WHERE id = 2')
      await sum(1, 'strict')
      return pool.status().loads === loads
    }
    for (let inRow = 0; inRow < 5; ) inRow = (await isKept()) ? inRow + 1 : 0
  } finally {
    await cache.close()
    await feeder.close()
    await raw.end()
    await sessions.end()
  }
})

const script = new URL('./relay-process.fixture.ts', import.meta.url).pathname

/** A process that feeds, or follows; it says which whenever that changes. */
function startProcess(database: string, channel: string): { child: ChildProcess; roles: AsyncIterator<string> } {
  const words = [
    '--conditions=@millpond/source',
    '--import',
    'tsx',
    script,
    server.urlOf({ database }),
    redis.url,
    channel,
  ]
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  return { child, roles: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

test('processes: the one that feeds is killed, another takes its place, and who follows never reads less than was written', {
  timeout: 60_000,
}, async () => {
  const [database, channel] = ['relay_processes', `relay-${randomBytes(6).toString('hex')}`]
  const sessions = new Sessions(server)
  await (await sessions.open()).query(`CREATE DATABASE ${database}`)
  const writer = await sessions.open({ database })
  await writer.query('CREATE TABLE rows (id int PRIMARY KEY, n int); INSERT INTO rows VALUES (1, 0)')
  const first = startProcess(database, channel)
  expect((await first.roles.next()).value).toBe('feeder')
  const second = startProcess(database, channel)
  expect((await second.roles.next()).value).toBe('follower')
  const bus = valkeyBus(redis.url, { channel })
  const relay = { bus, feeds: false }
  const feed = postgresFeed({ connectionString: server.urlOf({ database }), tables: ['rows'], relay })
  const cache = createCache({ feed, ttl: 'forever' })
  try {
    await feed.ready()
    const load = async (): Promise<number> => (await writer.query('SELECT n FROM rows WHERE id = 1')).rows[0].n
    const read = (atLeast?: string): Promise<number> =>
      cache.getOrSet('row', load, { tags: ['rows:1'], ...(atLeast && { atLeast }) })
    let written = 0
    const writeAndRead = async (): Promise<void> => {
      await writer.query('UPDATE rows SET n = $1 WHERE id = 1', [++written])
      const position = await positionOf(writer)
      expect(await read(position)).toBe(written)
      await feed.reached(position, 100)
      expect(await read(position)).toBe(written)
    }
    for (let round = 0; round < 20; round++) await writeAndRead()
    const killed = kill(first.child)
    const isTaken = second.roles.next()
    let isFed = false
    void isTaken.then(({ value }) => (isFed = value === 'feeder'))
    while (!isFed) await writeAndRead()
    await killed
    await feed.ready()
    for (let round = 0; round < 20; round++) await writeAndRead()
    const { nearHits } = cache.stats()
    expect(await read()).toBe(written)
    expect(cache.stats().nearHits).toBeGreaterThanOrEqual(nearHits)
    expect(nearHits).toBeGreaterThan(0)
    expect(feed.status()).toMatchObject({ role: 'follower', state: 'live' })
    // That of the process that was killed goes in the server's own time.
    const slots = 'SELECT FROM pg_replication_slots WHERE database = current_database()'
    while ((await writer.query(slots)).rowCount !== 1) await new Promise((resolve) => setTimeout(resolve, 10))
  } finally {
    await Promise.all([kill(first.child), kill(second.child)])
    await cache.close()
    await bus.close()
    await sessions.end()
  }
})
