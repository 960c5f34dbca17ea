import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../../tools/servers/postgres.ts'
import { type Cache, createCache } from '../../../index.ts'
import {
  dropNotifyTriggersSql,
  notifyTriggersSql,
  type PostgresFeed,
  type PostgresFeedOptions,
  positionOf,
  postgresFeed,
} from '../index.ts'
import { type CachedPool, type CachePoolOptions, cachePool } from './cache-pool.ts'

let server: PostgresServer
let raw: pg.Pool
let writer: pg.Client
let feed: PostgresFeed
let cache: Cache
let pool: pg.Pool & CachedPool
/** Texts that reached the database through the pool. */
let sent: string[]

beforeAll(async () => {
  server = await startPostgres()
  writer = new pg.Client(server.url)
  await writer.connect()
  await writer.query(`
    CREATE TABLE users (id int PRIMARY KEY, tenant int, name text, info jsonb);
    ALTER TABLE users REPLICA IDENTITY FULL;
    CREATE TABLE secrets (id int PRIMARY KEY); ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
    CREATE TABLE untold (id int PRIMARY KEY);
    CREATE VIEW names AS SELECT id, name FROM users;
    CREATE MATERIALIZED VIEW frozen AS SELECT 1 AS one;
    CREATE FUNCTION rolls() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'`)
})
afterAll(async () => {
  await writer?.end()
  await server?.destroy()
})
beforeEach(async () => {
  await writer.query(
    `TRUNCATE users; INSERT INTO users SELECT i, i % 3, 'u' || i, '{"a":[1]}' FROM generate_series(1, 9) i`,
  )
  await open({})
})
afterEach(close)

async function open(
  options: Partial<CachePoolOptions>,
  max = 4,
  feedOptions: PostgresFeedOptions = { tables: ['users', 'secrets'] },
): Promise<void> {
  raw = new pg.Pool({ connectionString: server.url, max })
  sent = []
  raw.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown
    client.query = ((...args: unknown[]) => {
      const [first] = args
      sent.push(typeof first === 'string' ? first : (first as { text: string }).text)
      return query(...args)
    }) as typeof client.query
  })
  feed = postgresFeed({ connectionString: server.url, ...feedOptions })
  cache = createCache({ feed })
  await feed.ready()
  pool = cachePool(raw, { cache, feed, ...options })
}

async function close(): Promise<void> {
  await cache?.close()
  await raw?.end()
}

/** How often the text reached the database. */
const times = (text: string): number => sent.filter((one) => one === text).length

/** Everything that was committed has been told. */
async function told(): Promise<void> {
  await feed.reached(await positionOf(writer), 5000)
  await feed.settled(5000)
}

const BY_ID = 'SELECT * FROM users WHERE id = $1'

test('a query is asked once, and again after a change that matters to it', async () => {
  expect((await pool.query(BY_ID, [1])).rows).toEqual([{ id: 1, tenant: 1, name: 'u1', info: { a: [1] } }])
  expect((await pool.query(BY_ID, [1])).rows[0].name).toBe('u1')
  expect((await pool.query({ text: BY_ID, values: ['1'] })).rowCount).toBe(1)
  expect(times(BY_ID)).toBe(1)
  await writer.query("UPDATE users SET name = 'other' WHERE id = 2")
  await told()
  await pool.query(BY_ID, [1])
  expect(times(BY_ID)).toBe(1)
  await writer.query("UPDATE users SET name = 'new' WHERE id = 1")
  await told()
  expect((await pool.query(BY_ID, [1])).rows[0].name).toBe('new')
  expect(times(BY_ID)).toBe(2)
})

test('a hundred at once are one query', async () => {
  const results = await Promise.all(Array.from({ length: 100 }, () => pool.query(BY_ID, [3])))
  expect(new Set(results.map(({ rows }) => rows[0].name))).toEqual(new Set(['u3']))
  expect(times(BY_ID)).toBe(1)
})

test('what a caller does to his rows changes nobody else’s', async () => {
  const first = await pool.query(BY_ID, [1])
  first.rows[0].name = 'spoilt'
  first.rows.push({})
  first.rows[0].info.a.push(2)
  const second = await pool.query(BY_ID, [1])
  expect(second.rows).toEqual([{ id: 1, tenant: 1, name: 'u1', info: { a: [1] } }])
  second.fields[0]!.name = 'spoilt'
  const [third, plain] = [await pool.query(BY_ID, [1]), await writer.query(BY_ID, [1])]
  expect(third.fields.map((field) => ({ ...field }))).toEqual(plain.fields.map((field) => ({ ...field })))
})

test('callbacks, rows as arrays, and errors come as pg brings them', async () => {
  const viaCallback = await new Promise<pg.QueryResult>((resolve, reject) => {
    pool.query(BY_ID, [1], (error, result) => (error ? reject(error) : resolve(result)))
  })
  expect(viaCallback.rows[0].id).toBe(1)
  const arrays = await pool.query({ text: 'SELECT id, name FROM users WHERE id = $1', values: [1], rowMode: 'array' })
  expect(arrays.rows).toEqual([[1, 'u1']])
  expect((await pool.query('SELECT id, name FROM users WHERE id = $1', [1])).rows).toEqual([{ id: 1, name: 'u1' }])
  await expect(pool.query('SELECT nothing FROM users')).rejects.toMatchObject({ code: '42703' })
  await expect(pool.query('SELEC')).rejects.toMatchObject({ code: '42601' })
  await expect(pool.query('SELECT 1 / id FROM users WHERE id - id = $1', [0])).resolves.toBeDefined()
})

test('in a transaction everything goes to the database; after COMMIT this process reads what it wrote', async () => {
  await pool.query(BY_ID, [1])
  const client = await pool.connect()
  await client.query('BEGIN')
  await client.query("UPDATE users SET name = 'mine' WHERE id = 1")
  expect((await client.query(BY_ID, [1])).rows[0].name).toBe('mine')
  expect((await pool.query(BY_ID, [1])).rows[0].name).toBe('u1')
  await client.query('COMMIT')
  expect((await pool.query(BY_ID, [1])).rows[0].name).toBe('mine')
  expect((await client.query(BY_ID, [1])).rows[0].name).toBe('mine')
  client.release()
})

test('a write through the pool is read at once, by pool and connection, time after time', async () => {
  const client = await pool.connect()
  for (let count = 0; count < 50; count++) {
    await pool.query('UPDATE users SET name = $1 WHERE id = 4', [`n${count}`])
    expect((await pool.query(BY_ID, [4])).rows[0].name).toBe(`n${count}`)
    expect((await client.query(BY_ID, [4])).rows[0].name).toBe(`n${count}`)
  }
  client.release()
})

test('a position that another process gave is a floor; strict asks the database where it stands', async () => {
  await pool.query(BY_ID, [5])
  for (let count = 0; count < 20; count++) {
    await writer.query('UPDATE users SET name = $1 WHERE id = 5', [`w${count}`])
    const read = count % 2 === 0 ? 'strict' : { atLeast: await positionOf(writer) }
    const { rows } = await pool.query({ text: BY_ID, values: [5], read } as pg.QueryConfig)
    expect(rows[0].name).toBe(`w${count}`)
  }
})

test('a pool of one connection does not wait for itself', async () => {
  await close()
  await open({}, 1)
  const client = await pool.connect()
  const waiting = pool.query(BY_ID, [1])
  for (let count = 0; count < 5; count++) expect((await client.query(BY_ID, [1])).rows[0].name).toBe('u1')
  await client.query("UPDATE users SET name = 'x' WHERE id = 1")
  expect((await client.query(BY_ID, [1])).rows[0].name).toBe('x')
  client.release()
  await waiting
  expect((await pool.query(BY_ID, [1])).rows[0].name).toBe('x')
})

test('a connection with settings of its own neither reads from the cache nor fills it', async () => {
  const text = "SELECT id::text || current_setting('search_path') AS path FROM users WHERE id = 1"
  expect((await pool.explain(text)).cacheable).toBe(false)
  const client = await pool.connect()
  await client.query('SET search_path = pg_catalog, public')
  await pool.query(BY_ID, [1])
  await pool.query(BY_ID, [1])
  const before = times(BY_ID)
  await client.query(BY_ID, [1])
  await client.query(BY_ID, [1])
  expect(times(BY_ID)).toBe(before + 2)
  await client.query('RESET ALL')
  await client.query(BY_ID, [1])
  expect(times(BY_ID)).toBe(before + 2)
  client.release()
})

test('a view that is replaced gives a new answer within seconds', { timeout: 20_000 }, async () => {
  const text = 'SELECT * FROM names WHERE id = $1'
  expect((await pool.query(text, [1])).rows).toEqual([{ id: 1, name: 'u1' }])
  await writer.query('CREATE OR REPLACE VIEW names AS SELECT id, upper(name) AS name FROM users')
  await expect.poll(async () => (await pool.query(text, [1])).rows[0].name, { timeout: 12_000 }).toBe('U1')
  await writer.query('CREATE OR REPLACE VIEW names AS SELECT id, name FROM users')
})

describe('explain says which rows matter, or why a query is not cached', () => {
  test.each<[sql: string, rows: string[]]>([
    [BY_ID, ['users: rows with id = ...']],
    ['SELECT count(*) FROM users WHERE tenant = $1 AND id > 5', ['users: rows with tenant = ... and id in a range']],
    ['SELECT name FROM names WHERE id = 1', ['users: rows with id = ...']],
    ['SELECT count(*) FROM users', ['users: any row']],
    ["SELECT * FROM users WHERE info = '{}' OR id = 1", ['users: any row']],
  ])('%s', async (sql, rows) => {
    const explanation = await pool.explain(sql)
    expect(explanation).toMatchObject({ cacheable: true, reasons: [] })
    expect(explanation.dependencies.map(({ table, rows: which }) => `${table}: ${which}`)).toEqual(rows)
  })

  test.each<[identity: string, sql: string, changes: RegExp]>([
    ['FULL', BY_ID, /^changes of such rows only: old and new values are known \(REPLICA IDENTITY FULL\)$/],
    ['FULL', 'SELECT name FROM users', /^any change of the table: the query has no condition/],
    ['DEFAULT', BY_ID, /^changes of such rows only: of old rows id is known \(REPLICA IDENTITY DEFAULT\)$/],
    [
      'DEFAULT',
      'SELECT name FROM users WHERE tenant = 1',
      /^such rows when inserted, and any UPDATE or DELETE of the table: of old rows tenant is not known/,
    ],
    ['USING INDEX by_code', BY_ID, /^such rows when inserted, and any UPDATE or DELETE.* lacks the primary key$/],
    ['USING INDEX by_both', 'SELECT name FROM users WHERE tenant = 1', /of old rows tenant is not known.*USING INDEX/],
    [
      'USING INDEX by_both',
      BY_ID,
      /^changes of such rows only: of old rows id is known \(REPLICA IDENTITY USING INDEX\)$/,
    ],
  ])('REPLICA IDENTITY %s: %s', async (identity, sql, changes) => {
    await writer.query(`ALTER TABLE users ADD COLUMN IF NOT EXISTS code int NOT NULL GENERATED ALWAYS AS IDENTITY;
      CREATE UNIQUE INDEX IF NOT EXISTS by_code ON users (code); CREATE UNIQUE INDEX IF NOT EXISTS by_both ON users (id, code)`)
    await writer.query(`ALTER TABLE users REPLICA IDENTITY ${identity}`)
    const { dependencies } = await pool.explain(sql)
    expect(dependencies[0]!.changes).toMatch(changes)
    await writer.query('ALTER TABLE users REPLICA IDENTITY FULL; ALTER TABLE users DROP COLUMN code')
  })

  test('without a primary key, and in mode triggers', async () => {
    await writer.query('CREATE TABLE keyless (n int); ALTER TABLE keyless REPLICA IDENTITY FULL')
    await close()
    await open({}, 4, { tables: ['users', 'keyless'] })
    const keyless = await pool.explain('SELECT n FROM keyless WHERE n = 1')
    expect(keyless.dependencies[0]!.changes).toMatch(/^any change of the table: without a primary key/)
    await close()
    await writer.query(
      `ALTER PUBLICATION millpond DROP TABLE keyless; DROP TABLE keyless; ${notifyTriggersSql(['users'])}`,
    )
    await open({}, 4, { tables: ['users'], mode: 'triggers' })
    const { dependencies } = await pool.explain(BY_ID)
    expect(dependencies).toEqual([
      {
        table: 'users',
        rows: 'rows with id = ...',
        changes: "any change of the table: mode 'triggers' tells only of whole tables",
      },
    ])
    await writer.query(dropNotifyTriggersSql(['users']))
  })

  test.each<[sql: string, reason: RegExp]>([
    ['SELECT * FROM users FOR UPDATE', /locks rows/],
    ['SELECT now()', /now depends on the moment/],
    ['SELECT random() FROM users', /random is volatile/],
    ['SELECT rolls()', /rolls is volatile/],
    ['SELECT * FROM secrets', /row security/],
    ['SELECT * FROM untold', /does not tell of changes of untold/],
    ['SELECT * FROM frozen', /materialized view/],
    ['SELECT * FROM pg_class', /system catalog/],
    ['SELECT * FROM nowhere', /no table nowhere/],
    ['INSERT INTO users VALUES (1)', /no SELECT/],
    ['SELECT 1; SELECT 2', /several statements/],
    ['SELEC', /parser does not understand/],
    ["SELECT nextval('x')", /nextval is volatile/],
    ["SELECT * FROM users WHERE name = current_setting('x')", /current_setting depends/],
  ])('%s', async (sql, reason) => {
    const explanation = await pool.explain(sql)
    expect(explanation.cacheable).toBe(false)
    expect(explanation.reasons.join('; ')).toMatch(reason)
  })
})

test('a table with row security is cached for a role that was named', async () => {
  await close()
  await open({ role: 'postgres' })
  expect((await pool.explain('SELECT * FROM secrets')).cacheable).toBe(true)
})

test('parameters that mean the moment, or have no sure text, go to the database', async () => {
  const text = 'SELECT count(*) FROM users WHERE info = $1'
  await pool.query(text, [{ a: [1] }])
  await pool.query(text, [{ a: [1] }])
  expect(times(text)).toBe(2)
  const moment = 'SELECT id FROM users WHERE $1::timestamptz IS NOT NULL AND id = 1'
  await pool.query(moment, ['now'])
  await pool.query(moment, ['now'])
  expect(times(moment)).toBe(2)
})

test('it is the pool otherwise', async () => {
  expect(pool).toBeInstanceOf(pg.Pool)
  expect(pool.totalCount).toBe(raw.totalCount)
  const client = await pool.connect()
  expect(client).toBeInstanceOf(pg.Client)
  client.release()
  expect(() => cachePool({} as never, { cache, feed })).toThrow(/pool of the package `pg`/)
})
