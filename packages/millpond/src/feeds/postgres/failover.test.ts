/** Histories that part: a crash that loses what readers had seen, a standby that takes over, a name that leads to two servers. */
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../tools/servers/postgres.ts'
import { Sessions, TcpProxy } from '../../../../../tools/servers/postgres-probe.ts'
import { type Cache, createCache } from '../../index.ts'
import {
  type CachedPool,
  cachePool,
  type PostgresFeed,
  type PostgresFeedOptions,
  positionOf,
  postgresFeed,
} from './index.ts'

const BY_ID = 'SELECT n FROM numbers WHERE id = 1'

describe.each(['system', 'embedded'] as const)('where histories part (%s)', { timeout: 60_000 }, (binaries) => {
  /** What a test has opened, to be closed the other way round. */
  const opened: (() => Promise<unknown>)[] = []
  let feed: PostgresFeed
  let cache: Cache
  let pool: pg.Pool & CachedPool

  afterEach(async () => {
    for (const close of opened.splice(0).toReversed()) await close()
  })

  async function start(options: Parameters<typeof startPostgres>[0] = {}): Promise<PostgresServer> {
    const server = await startPostgres({ binaries, ...options })
    opened.push(() => server.destroy())
    return server
  }

  async function connect(server: PostgresServer): Promise<pg.Client> {
    const sessions = new Sessions(server)
    opened.push(() => sessions.end())
    return await sessions.open()
  }

  async function makeNumbers(client: pg.Client): Promise<void> {
    await client.query('CREATE TABLE numbers (id int PRIMARY KEY, n int); INSERT INTO numbers VALUES (1, 1)')
  }

  /** A feed, a cache and a cached pool on the database at this address. */
  async function open(connectionString: string, options: Partial<PostgresFeedOptions> = {}): Promise<void> {
    // What is kept is kept until the feed says otherwise: here a hit has to be a hit.
    feed = postgresFeed({ connectionString, tables: ['numbers'], maxStaleness: '60s', heartbeat: 50, ...options })
    cache = createCache({ feed })
    const raw = new pg.Pool({ connectionString, max: 2 }).on('error', () => {})
    opened.push(async () => {
      await cache.close()
      await raw.end()
    })
    await feed.ready()
    pool = cachePool(raw, { cache, feed })
  }

  const read = async (): Promise<number> => (await pool.query(BY_ID)).rows[0].n

  /** Reads, twice, and says that the second time was from the cache. */
  async function readKept(): Promise<number> {
    await read()
    const { hits } = pool.status()
    const n = await read()
    expect(pool.status().hits).toBe(hits + 1)
    return n
  }

  /** As soon as the server lets itself be asked. */
  const readWhenBack = () => expect.poll(() => read().catch(() => undefined), { timeout: 30_000 })

  test('a crash loses a commit that readers had seen: what was kept of it is gone', async () => {
    // Nobody but a commit that waits for it writes the log to the disk.
    const settings = { wal_writer_delay: '10s', bgwriter_lru_maxpages: 0, autovacuum: false }
    const server = await start({ settings })
    const writer = await connect(server)
    await makeNumbers(writer)
    await open(server.url)
    await read()
    await writer.query('SET synchronous_commit = off')
    // Visible, in the log, and not on the disk: the feed cannot have told of it.
    await cache.clear()
    await writer.query('UPDATE numbers SET n = 2')
    expect(await readKept()).toBe(2)
    const token = feed.position()!
    await server.crash()
    await server.restart()
    await readWhenBack().toBe(1)
    await feed.ready()
    expect((await (await connect(server)).query(BY_ID)).rows[0].n).toBe(1)
    // The history goes on: what was on the disk is included.
    expect(feed.includes(token)).toBe(true)
    expect(await readKept()).toBe(1)
  })

  test('a standby takes over: lost commits are gone from the cache, old positions are not included, new writes are told', async () => {
    const primary = await start()
    const writer = await connect(primary)
    await makeNumbers(writer)
    const standby = await start({ standbyOf: primary })
    const follower = await connect(standby)
    await expect.poll(async () => (await follower.query('SELECT FROM numbers')).rows.length).toBe(1)
    const name = await TcpProxy.to(primary.port)
    opened.push(() => name.close())
    await open(primary.url.replace(`:${primary.port}/`, `:${name.port}/`))
    // From here on the standby receives nothing.
    await follower.query("ALTER SYSTEM SET primary_conninfo = ''")
    await follower.query('SELECT pg_reload_conf()')
    await expect.poll(async () => (await follower.query('SELECT FROM pg_stat_wal_receiver')).rows.length).toBe(0)
    await writer.query('UPDATE numbers SET n = 2')
    const lost = await positionOf(writer)
    expect(await feed.reached(lost, 10_000)).toBe(true)
    expect(await readKept()).toBe(2)
    const { timeline, systemId } = feed.status()

    await primary.crash()
    await follower.query('SELECT pg_promote()')
    name.lead(standby.port)
    name.cut()
    await readWhenBack().toBe(1)
    await feed.ready()
    expect(feed.status()).toMatchObject({ state: 'live', systemId, timeline: timeline! + 1 })
    expect(feed.includes(lost)).toBe(false)
    expect(await feed.reached(lost, 1000)).toBe(false)
    // Who carries a position that is lost is answered by the database.
    const { loads } = pool.status()
    expect((await pool.query({ text: BY_ID, read: { atLeast: lost } } as pg.QueryConfig)).rows[0].n).toBe(1)
    expect(pool.status().loads).toBeGreaterThanOrEqual(loads)
    expect(await readKept()).toBe(1)
    await follower.query('UPDATE numbers SET n = 3')
    expect(await feed.reached(await positionOf(follower), 10_000)).toBe(true)
    await feed.settled(10_000)
    expect(await readKept()).toBe(3)
  })

  test('the two connections of a feed lead to two servers: it does not begin, and says so', async () => {
    const [server, other] = [await start(), await start()]
    for (const one of [server, other]) await makeNumbers(await connect(one))
    let replicationPort = other.port
    class Parted extends pg.Client {
      constructor(config: pg.ClientConfig & { replication?: string }) {
        super({ ...config, port: config.replication ? replicationPort : server.port } as pg.ClientConfig)
      }
    }
    const warnings: string[] = []
    feed = postgresFeed({
      connection: { host: '127.0.0.1', user: 'postgres', database: 'postgres' },
      client: Parted as never,
      tables: ['numbers'],
      logger: { warn: (_: object, message: string) => warnings.push(message), error() {} },
    })
    opened.push(() => feed.close())
    const ready = feed.ready()
    await expect.poll(() => warnings.join('\n'), { timeout: 20_000 }).toMatch(/lead to different servers/)
    expect(feed.freshAsOfMs()).toBe(Number.NEGATIVE_INFINITY)
    replicationPort = server.port
    await ready
    expect(feed.status().state).toBe('live')
  })
})
