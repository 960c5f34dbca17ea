import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../../tools/servers/postgres.ts'
import { TcpProxy } from '../../../../../../tools/servers/postgres-probe.ts'
import { type Cache, createCache } from '../../../index.ts'
import { type PostgresFeed, positionOf, postgresFeed } from '../index.ts'
import { type CachedPool, type CachePoolOptions, cachePool } from './cache-pool.ts'
import { Waiting } from './waiting.ts'

/** Ways in which an answer could have been somebody else's, old, or the end of the process. */
let server: PostgresServer
let raw: pg.Pool
let writer: pg.Client
let feed: PostgresFeed
let cache: Cache
let pool: pg.Pool & CachedPool

const BY_ID = 'SELECT * FROM goods WHERE id = $1'

beforeAll(async () => {
  server = await startPostgres()
  writer = new pg.Client(server.url)
  await writer.connect()
  await writer.query(`
    CREATE TABLE goods (id int PRIMARY KEY, name text, made timestamptz, bytes bytea, span interval, tags date[]);
    ALTER TABLE goods REPLICA IDENTITY FULL;
    CREATE SCHEMA other; CREATE TABLE other.goods (LIKE goods); INSERT INTO other.goods VALUES (1, 'other');
    CREATE FUNCTION elsewhere() RETURNS void LANGUAGE sql AS $$ SELECT set_config('search_path', 'other', false) $$`)
})
afterAll(async () => {
  await writer?.end()
  await server?.destroy()
})
beforeEach(async () => {
  await writer.query(`DELETE FROM goods; INSERT INTO goods
    SELECT i, 'n' || i, '2026-01-01Z', '\\x0102', '1 day', '{2026-01-01}' FROM generate_series(1, 9) i`)
  await open({})
})
afterEach(close)

async function open(config: pg.PoolConfig, options: Partial<CachePoolOptions> = {}): Promise<void> {
  raw = new pg.Pool({ connectionString: server.url, max: 4, ...config })
  raw.on('error', () => {})
  feed = postgresFeed({ connectionString: server.url, tables: ['goods'] })
  cache = createCache({ feed, staleWhileRevalidate: '1h', staleIfError: '1h', copy: 'reference' })
  await feed.ready()
  pool = cachePool(raw, { cache, feed, ...options })
}

async function close(): Promise<void> {
  await cache?.close()
  await raw?.end()
}

async function told(): Promise<void> {
  await feed.reached(await positionOf(writer), 5000)
  await feed.settled(5000)
}

test('values that the caller changes after the call are not the ones that are asked, nor part of a key', async () => {
  const values = [1]
  const first = pool.query(BY_ID, values)
  values[0] = 2
  expect((await first).rows[0].id).toBe(1)
  expect((await pool.query(BY_ID, [1])).rows[0].id).toBe(1)
  const config = { text: BY_ID, values: [3] }
  const third = pool.query(config)
  config.text = 'SELECT 0 AS id'
  expect((await third).rows[0].id).toBe(3)
})

test('dates, bytes, intervals and lists of a row are the caller’s own', async () => {
  for (let count = 0; count < 2; count++) {
    const { rows } = await pool.query(BY_ID, [1])
    expect(rows[0].made.toISOString()).toBe('2026-01-01T00:00:00.000Z')
    expect(rows[0].bytes).toEqual(Buffer.from([1, 2]))
    expect(rows[0].span.toPostgres()).toBe('1 days')
    expect(rows[0].tags).toHaveLength(1)
    rows[0].made.setHours(5)
    rows[0].bytes.fill(9)
    rows[0].span.days = 7
    rows[0].tags.push(0)
    rows[0].tags[0].setFullYear(1999)
  }
  expect((await pool.query(BY_ID, [1])).rows[0].tags[0].getFullYear()).toBe(2026)
  expect(pool.status().hits).toBe(2)
})

test('a query with parsers of its own is cached, and parsed by them', async () => {
  const asText = { getTypeParser: () => (text: string) => `<${text}>` }
  const own = { text: BY_ID, values: [1], types: asText } as unknown as pg.QueryConfig
  for (let count = 0; count < 2; count++) {
    expect((await pool.query(own)).rows[0]).toMatchObject({ id: '<1>', name: '<n1>', bytes: '<\\x0102>' })
    expect((await pool.query(BY_ID, [1])).rows[0].id).toBe(1)
  }
  const { rows } = await pool.query({ ...own, rowMode: 'array' } as pg.QueryArrayConfig)
  expect(rows[0]!.slice(0, 2)).toEqual(['<1>', '<n1>'])
  expect(pool.status()).toMatchObject({ hits: 3, loads: 2 })
})

test.each<[how: string, change: (client: pg.PoolClient) => Promise<unknown>]>([
  ['a comment before SET', (client) => client.query('/* tenant 7 */ SET search_path = other')],
  ['a second statement', (client) => client.query('SELECT 1; SET search_path = other')],
  ['a block of code', (client) => client.query('DO $$ BEGIN SET search_path = other; END $$')],
  ['a function of the user', (client) => client.query('SELECT elsewhere()')],
  ['a transaction', (client) => client.query("BEGIN; SET search_path = 'other'; COMMIT")],
  [
    'a temporary table',
    (client) => client.query('-- x\nCREATE TEMP TABLE goods AS SELECT 1 AS id, text $$other$$ AS name'),
  ],
  [
    'a query object',
    (client) =>
      Promise.resolve(client.query(new pg.Query('SET search_path = other'))).then(() => client.query('SELECT 1')),
  ],
])('a connection whose session was changed by %s neither reads from the cache nor fills it', async (_, change) => {
  await pool.query(BY_ID, [1])
  const client = await pool.connect()
  await client.query(BY_ID, [1])
  await change(client)
  expect((await client.query(BY_ID, [1])).rows[0].name).toBe('other')
  client.release()
  expect((await pool.query(BY_ID, [2])).rows).toEqual([])
  await pool.query('DISCARD ALL')
  expect((await pool.query(BY_ID, [2])).rows[0].name).toBe('n2')
  expect((await pool.query(BY_ID, [1])).rows[0].name).toBe('n1')
})

test('SET through the pool changes one connection, and nothing that is read on it is kept', async () => {
  await close()
  await open({ max: 1 })
  await pool.query('SET search_path = other')
  expect((await pool.query(BY_ID, [1])).rows[0].name).toBe('other')
  await pool.query('RESET search_path')
  expect((await pool.query(BY_ID, [1])).rows[0].name).toBe('n1')
})

test('a write in any form is read at once', async () => {
  const forms: ((name: string, client: pg.PoolClient) => Promise<unknown>)[] = [
    (name) => pool.query({ text: 'UPDATE goods SET name = $1 WHERE id = 4', values: [name], types: pg.types } as never),
    (name, client) =>
      new Promise((resolve, reject) => {
        const query = new pg.Query('UPDATE goods SET name = $1 WHERE id = 4', [name]) as pg.Query & NodeJS.EventEmitter
        query.on('end', resolve)
        query.on('error', reject)
        client.query(query)
      }),
    (name, client) =>
      client.query({ text: 'UPDATE goods SET name = $1 WHERE id = 4', values: [name], binary: true } as never),
    (name) => pool.query({ text: 'UPDATE goods SET name = $1 WHERE id = 4', values: [name], binary: true } as never),
    (name, client) => client.query(`BEGIN; UPDATE goods SET name = '${name}' WHERE id = 4; COMMIT`),
  ]
  const client = await pool.connect()
  for (let count = 0; count < 40; count++) {
    await forms[count % forms.length]!(`w${count}`, client)
    expect((await pool.query(BY_ID, [4])).rows[0].name, `write ${count}`).toBe(`w${count}`)
  }
  client.release()
})

test('statements of a connection keep their order, awaited or not, query objects included', async () => {
  const client = await pool.connect()
  await pool.query(BY_ID, [1])
  const before = client.query('SELECT name FROM goods WHERE id = 1')
  const write = client.query("UPDATE goods SET name = 'x' WHERE id = 1")
  const after = client.query('SELECT name FROM goods WHERE id = 1')
  expect((await before).rows[0].name).toBe('n1')
  await write
  expect((await after).rows[0].name).toBe('x')
  const cached = client.query(BY_ID, [2])
  const begin = new pg.Query('BEGIN')
  expect(client.query(begin)).toBe(begin)
  void client.query("UPDATE goods SET name = 'never' WHERE id = 2")
  void client.query('ROLLBACK')
  await cached
  expect((await client.query(BY_ID, [2])).rows[0].name).toBe('n2')
  client.release()
})

test('a connection that dies under a load fails the query, not the process', { timeout: 20_000 }, async () => {
  const slow = 'SELECT count(*) FROM goods a, goods b, goods c, goods d, goods e, goods f, goods g, goods h, goods i'
  await pool.explain(slow)
  const reading = pool.query(slow).catch((error: Error) => error)
  await expect
    .poll(async () => {
      const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = '${slow}' AND state = 'active'`
      return (await writer.query(sql)).rowCount
    })
    .toBe(1)
  expect(await reading).toBeInstanceOf(Error)
  expect((await pool.query(BY_ID, [1])).rowCount).toBe(1)
})

test('columns that are dropped, renamed or exchanged are noticed', { timeout: 30_000 }, async () => {
  await writer.query(
    'CREATE TABLE IF NOT EXISTS other.shape (); ALTER TABLE goods ADD COLUMN a text, ADD COLUMN b text',
  )
  await writer.query("UPDATE goods SET a = 'a', b = 'b'")
  await told()
  const text = 'SELECT a FROM goods WHERE id = 1'
  expect((await pool.query(text)).rows[0].a).toBe('a')
  await writer.query('ALTER TABLE goods RENAME a TO c; ALTER TABLE goods RENAME b TO a')
  await expect.poll(async () => (await pool.query(text)).rows[0].a, { timeout: 12_000 }).toBe('b')
  await writer.query('ALTER TABLE goods DROP COLUMN a, DROP COLUMN c')
  await expect.poll(() => pool.query(text).catch((error) => error.code), { timeout: 12_000 }).toBe('42703')
})

test('a table that the feed tells of no more is not cached, whatever was worked out before', async () => {
  const told = new Set(['goods'])
  const partial = Object.create(feed) as PostgresFeed
  partial.covers = (tag) => (told.has(tag.split(/[:?]/)[0]!) ? feed.covers(tag) : undefined)
  const other = cachePool(raw, { cache, feed: partial, name: 'other' })
  await other.query(BY_ID, [1])
  told.clear()
  await other.query(BY_ID, [1])
  expect(other.status().passed).toEqual({ 'the feed does not tell of changes of goods': 1 })
})

test('who holds a connection does not wait for a load that waits for one, whenever that begins', async () => {
  const waiting = new Waiting()
  const forever = new Promise<string>(() => {})
  const holder = waiting.unless('key', () => forever)
  const done = waiting.begin('key')
  expect(await holder).toBeUndefined()
  expect(await waiting.unless('key', () => forever)).toBeUndefined()
  done()
  done()
  expect(await waiting.unless('key', async () => 'answer')).toBe('answer')
})

test('status counts hits, loads, and what went to the database with the reason', async () => {
  for (let count = 0; count < 3; count++) await pool.query(BY_ID, [1])
  await pool.query('SELECT now()')
  await pool.query("UPDATE goods SET name = 'y' WHERE id = 9")
  expect(pool.status()).toMatchObject({
    hits: 2,
    loads: 1,
    kept: 1,
    passed: { 'now depends on the moment, the session or the server': 1, 'it is no SELECT (Update)': 1 },
    texts: 3,
  })
})

test('status counts what went to the database on a connection that is held, too', async () => {
  const client = await pool.connect()
  try {
    await client.query(BY_ID, [1])
    await pool.explain(BY_ID)
    await client.query(BY_ID, [1])
    await pool.explain('SELECT now()')
    await client.query('SELECT now()')
    await pool.explain('BEGIN')
    await client.query('BEGIN')
    await client.query(BY_ID, [1])
    await client.query('ROLLBACK')
  } finally {
    client.release()
  }
  expect(pool.status()).toMatchObject({
    loads: 1,
    passed: {
      'the text is new, and its connection is held': 1,
      'now depends on the moment, the session or the server': 1,
      'it controls a transaction': 1,
      'the connection is in a transaction, or busy': 2,
    },
  })
})

test('the wire of the feed is dead: who has written, or asks strictly, is answered by the database all the same', async () => {
  await close()
  const wire = await TcpProxy.to(server.port)
  // It would notice only after this test has failed.
  feed = postgresFeed({
    connectionString: server.urlOf({}).replace(`:${server.port}`, `:${wire.port}`),
    tables: ['goods'],
    stallTimeout: '1h',
  })
  cache = createCache({ feed })
  await feed.ready()
  raw = new pg.Pool({ connectionString: server.url })
  pool = cachePool(raw, { cache, feed })
  const name = async (read: 'bounded' | 'strict') =>
    (await pool.query({ text: BY_ID, values: [1], read } as pg.QueryConfig)).rows[0].name
  expect(await name('bounded')).toBe('n1')
  wire.stall()
  await pool.query("UPDATE goods SET name = 'mine' WHERE id = 1")
  expect(await name('bounded')).toBe('mine')
  expect(await name('strict')).toBe('mine')
  wire.cut()
  await wire.close()
})
