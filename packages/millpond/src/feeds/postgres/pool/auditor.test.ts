import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../../tools/servers/postgres.ts'
import { seededRandom } from '../../../core/random.ts'
import { type Cache, createCache } from '../../../index.ts'
import { type PostgresFeed, positionOf, postgresFeed } from '../index.ts'
import type { Audit } from './auditor.ts'
import { type CachedPool, type CachePoolOptions, cachePool } from './cache-pool.ts'

let server: PostgresServer
let writer: pg.Client
let raw: pg.Pool
let feed: PostgresFeed
let cache: Cache
let pool: pg.Pool & CachedPool
let audits: Audit[]
let logged: object[]

beforeAll(async () => {
  server = await startPostgres()
  writer = new pg.Client(server.url)
  await writer.connect()
  await writer.query(`CREATE TABLE users (id int PRIMARY KEY, tenant int, name text); ALTER TABLE users REPLICA IDENTITY FULL;
    INSERT INTO users SELECT i, i % 3, 'u' || i FROM generate_series(1, 9) i`)
})
afterAll(async () => {
  await writer?.end()
  await server?.destroy()
})
beforeEach(async () => {
  // A hit has to be a hit, however busy the machine is.
  feed = postgresFeed({ connectionString: server.url, tables: ['users'], maxStaleness: '60s', heartbeat: 50 })
  cache = createCache({ feed })
  await feed.ready()
})
afterEach(async () => {
  await cache?.close()
  await raw?.end()
})

async function open(options: Partial<CachePoolOptions> = {}, max = 4): Promise<void> {
  raw = new pg.Pool({ connectionString: server.url, max }).on('error', () => {})
  audits = []
  logged = []
  const logger = { warn() {}, error: (details: object, message: string) => logged.push({ ...details, message }) }
  pool = cachePool(raw, { cache, feed, logger, audit: { sample: 1 }, ...options })
  pool.events.on('audit', (audit) => audits.push(audit))
  // The analysis asks the catalog first.
  await pool.explain(BY_ID)
}

const BY_ID = 'SELECT name FROM users WHERE id = $1'
const nameOf = async (id: number): Promise<string> => (await pool.query(BY_ID, [id])).rows[0].name

async function told(): Promise<void> {
  await feed.reached(await positionOf(writer), 5000)
  await feed.settled(5000)
}

/** All that was drawn has been judged. */
const judged = (count: number) => expect.poll(() => audits.length, { timeout: 15_000 }).toBe(count)

test('hits that are right are counted as fresh, loads are not looked at', async () => {
  await open()
  for (const id of [1, 2, 3]) await nameOf(id)
  expect(pool.status().audit).toMatchObject({ sampled: 0 })
  for (let round = 0; round < 3; round++) {
    for (const id of [1, 2, 3]) await nameOf(id)
    await judged(3 * (round + 1))
  }
  expect(audits.every(({ text, verdict }) => text === BY_ID && verdict === 'fresh')).toBe(true)
  expect(pool.status().audit).toEqual({
    sampled: 9,
    fresh: 9,
    stale: 0,
    inconclusive: 0,
    skipped: 0,
    share: 1,
    nines: 0.9,
  })
  expect(logged).toEqual([])
})

test('a change that the feed did not tell of is found: the hit is reported as stale, and its entry is voided', async () => {
  await open()
  expect(await nameOf(4)).toBe('u4')
  // Its row change is in the log, and not announced.
  await writer.query('ALTER PUBLICATION millpond DROP TABLE users')
  await writer.query("UPDATE users SET name = 'missed' WHERE id = 4")
  await writer.query('ALTER PUBLICATION millpond ADD TABLE users')
  await told()
  expect(await nameOf(4)).toBe('u4')
  await judged(1)
  expect(audits).toEqual([{ text: BY_ID, verdict: 'stale' }])
  expect(pool.status().audit).toMatchObject({ sampled: 1, fresh: 0, stale: 1, share: 0, nines: 0 })
  expect(logged).toEqual([{ text: BY_ID, message: 'an answer from the cache was stale' }])
  expect(await nameOf(4)).toBe('missed')
  expect(await nameOf(4)).toBe('missed')
  await judged(2)
  expect(pool.status().audit).toMatchObject({ fresh: 1, stale: 1, share: 0.5 })
})

test('an entry that was corrupted in the cache is found', async () => {
  let corrupt = false
  const spoilt: CachePoolOptions['cache'] = {
    delete: (key) => cache.delete(key),
    getOrSet: async (key, load, options) => {
      const value = (await cache.getOrSet(key, load, options)) as { rows: object[] }
      return (corrupt ? { ...value, rows: [...value.rows, ...value.rows] } : value) as never
    },
  }
  await open({ cache: spoilt })
  await nameOf(1)
  await nameOf(1)
  await judged(1)
  corrupt = true
  await nameOf(1)
  await judged(2)
  expect(audits.map(({ verdict }) => verdict)).toEqual(['fresh', 'stale'])
})

test('where a change was told between the answer and the snapshot nobody can say', async () => {
  await open({}, 1)
  await nameOf(5)
  const busy = await raw.connect()
  expect(await nameOf(5)).toBe('u5')
  // The auditor waits for the only connection.
  await writer.query("UPDATE users SET name = 'later' WHERE id = 5")
  await told()
  busy.release()
  await judged(1)
  expect(audits).toEqual([{ text: BY_ID, verdict: 'inconclusive', reason: 'a change was told in between' }])
  expect(pool.status().audit).toMatchObject({ stale: 0, inconclusive: 1, share: 1 })
  await writer.query("UPDATE users SET name = 'u5' WHERE id = 5")
})

test('a change that is told late, by an asynchronous commit, is not taken for a stale hit', async () => {
  await open({}, 1)
  await nameOf(6)
  const busy = await raw.connect()
  await nameOf(6)
  // Visible at once; in the log on disk a while later.
  await writer.query(
    "SET synchronous_commit = off; UPDATE users SET name = 'soon' WHERE id = 6; RESET synchronous_commit",
  )
  busy.release()
  await judged(1)
  expect(audits[0]).toMatchObject({ verdict: 'inconclusive' })
  await writer.query("UPDATE users SET name = 'u6' WHERE id = 6")
})

test('rows in another order are the same, unless the query orders them', async () => {
  await open()
  const texts = ['SELECT id FROM users WHERE tenant = 1', 'SELECT id, name FROM users WHERE tenant = 1 ORDER BY name']
  for (const text of texts) await pool.query(text)
  // The row changes its place in the table, and not its values.
  await writer.query('ALTER PUBLICATION millpond DROP TABLE users')
  await writer.query('UPDATE users SET name = name WHERE id = 1')
  await writer.query('ALTER PUBLICATION millpond ADD TABLE users')
  await told()
  for (const text of texts) await pool.query(text)
  await judged(2)
  expect(audits.map(({ verdict }) => verdict)).toEqual(['fresh', 'fresh'])
})

test('it draws the share that it is told to, and never lets more than a few wait', async () => {
  await open({ audit: { sample: 0.25, random: seededRandom(7) } }, 1)
  await nameOf(7)
  const busy = await raw.connect()
  for (let round = 0; round < 400; round++) await nameOf(7)
  const { sampled, skipped } = pool.status().audit!
  expect(sampled).toBe(16)
  expect(sampled + skipped).toBeGreaterThan(60)
  expect(sampled + skipped).toBeLessThan(140)
  busy.release()
  await judged(16)
})

test('off as it comes; a share that is none is refused', async () => {
  await open({ audit: undefined as never })
  await nameOf(8)
  await nameOf(8)
  expect(pool.status().audit).toBeUndefined()
  expect(() => cachePool(raw, { cache, feed, audit: { sample: 2 } })).toThrow(/audit.sample/)
})

test('with a feed that was closed reads go on as without an auditor', async () => {
  await open()
  await nameOf(1)
  await feed.close()
  expect(await nameOf(1)).toBe('u1')
  expect(pool.status().audit).toMatchObject({ sampled: 0, stale: 0 })
})

test('events tell what happens to a query, without its parameters', async () => {
  await open({ audit: undefined as never })
  const events: unknown[] = []
  for (const name of ['hit', 'load', 'pass', 'late', 'live'] as const)
    pool.events.on(name, (event) => events.push([name, event]))
  await nameOf(9)
  await nameOf(9)
  await pool.query('SELECT now() FROM users')
  const reason = 'now depends on the moment, the session or the server'
  expect(events).toEqual([
    ['load', { text: BY_ID, kept: true }],
    ['hit', { text: BY_ID }],
    ['pass', { text: 'SELECT now() FROM users', reason }],
  ])
})

test('late and live are told by the reads that meet them', async () => {
  await open({ audit: undefined as never })
  const events: unknown[] = []
  pool.events.on('late', ({ reason }) => events.push(reason))
  pool.events.on('live', () => events.push('live'))
  await nameOf(1)
  await writer.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'millpond'")
  await expect.poll(async () => (await nameOf(1)) && events.length, { interval: 1 }).toBeGreaterThan(0)
  expect(events[0]).toMatch(/./)
  await feed.ready()
  await expect.poll(async () => (await nameOf(1)) && events.at(-1), { interval: 1 }).toBe('live')
})
