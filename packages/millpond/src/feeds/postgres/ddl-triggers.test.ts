/** DDL that is told in commit order: by event triggers, on servers of both kinds. */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../tools/servers/postgres.ts'
import { FeedRecorder, Sessions } from '../../../../../tools/servers/postgres-probe.ts'
import { type Cache, createCache } from '../../index.ts'
import {
  type CachedPool,
  cachePool,
  ddlTriggersSql,
  dropDdlTriggersSql,
  notifyTriggersSql,
  type PostgresFeed,
  positionOf,
  postgresFeed,
} from './index.ts'

describe.each(['system', 'embedded'] as const)('DDL with event triggers (%s)', (binaries) => {
  let server: PostgresServer
  let sessions: Sessions
  let owner: pg.Client
  let feed: PostgresFeed
  let heard: FeedRecorder
  let cache: Cache
  let raw: pg.Pool
  let pool: pg.Pool & CachedPool

  beforeAll(async () => {
    server = await startPostgres({ binaries })
    sessions = new Sessions(server)
    owner = await sessions.open()
    await owner.query(`${ddlTriggersSql()}; ${ddlTriggersSql()}`)
    await owner.query(`CREATE TABLE users (id int PRIMARY KEY, name text, price int);
      INSERT INTO users VALUES (1, 'Ann', 5), (2, 'Bea', 6); CREATE VIEW names AS SELECT id, name FROM users WHERE id < 2;
      CREATE MATERIALIZED VIEW frozen AS SELECT count(*)::int AS n FROM users;
      CREATE FUNCTION priced(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2'`)
  })
  afterAll(async () => {
    await sessions?.end()
    await server?.destroy()
  })
  beforeEach(() => open('replication'))
  afterEach(close)

  async function open(mode: 'replication' | 'triggers'): Promise<void> {
    // Nothing but the feed makes an answer old, and nothing but DDL that is told the catalog be looked at again.
    feed = postgresFeed({
      connectionString: server.url,
      tables: ['users', 'millpond_ddl'],
      mode,
      maxStaleness: '60s',
      heartbeat: 50,
    })
    heard = new FeedRecorder()
    feed.subscribe(heard)
    cache = createCache({ feed })
    await feed.ready()
    raw = new pg.Pool({ connectionString: server.url, max: 2 }).on('error', () => {})
    pool = cachePool(raw, { cache, feed, clock: stopped })
  }

  async function close(): Promise<void> {
    await cache?.close()
    await feed?.close()
    if (raw?.ended === false) await raw.end()
  }

  async function told(): Promise<void> {
    expect(await feed.reached(await positionOf(owner), 10_000)).toBe(true)
    await feed.settled(10_000)
  }

  /** The answer, of which it is made sure that it is kept. */
  async function kept(sql: string): Promise<unknown[]> {
    await pool.query(sql)
    const { hits } = pool.status()
    const { rows } = await pool.query(sql)
    expect(pool.status().hits, sql).toBe(hits + 1)
    return rows
  }

  test.each([
    [
      'a view that is replaced',
      'SELECT name FROM names',
      [{ name: 'Ann' }],
      'CREATE OR REPLACE VIEW names AS SELECT id, name FROM users WHERE id > 1',
      [{ name: 'Bea' }],
    ],
    [
      'a function that is replaced',
      'SELECT priced(price) AS p FROM users WHERE id = 1',
      [{ p: 10 }],
      "CREATE OR REPLACE FUNCTION priced(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 3'",
      [{ p: 15 }],
    ],
    [
      'rows that are rewritten by another type of a column',
      'SELECT price FROM users WHERE id = 2',
      [{ price: 6 }],
      'ALTER TABLE users ALTER COLUMN price TYPE int USING price + 1',
      [{ price: 7 }],
    ],
    [
      'a column that is renamed, and another that takes its name',
      'SELECT name FROM users WHERE id = 2',
      [{ name: 'Bea' }],
      "ALTER TABLE users RENAME name TO old_name; ALTER TABLE users ADD COLUMN name text DEFAULT 'none'",
      [{ name: 'none' }],
    ],
  ])('%s: the next read has it', async (_, sql, before, ddl, after) => {
    expect(await kept(sql)).toEqual(before)
    await owner.query(ddl)
    await told()
    expect((await pool.query(sql)).rows).toEqual(after)
    expect(await kept(sql)).toEqual(after)
  })

  test('what the new answer depends on is worked out anew', async () => {
    const sql = 'SELECT sum(price)::int AS s FROM chosen'
    await owner.query('CREATE VIEW chosen AS SELECT price FROM users WHERE id = 1; UPDATE users SET price = 1')
    await told()
    expect(await kept(sql)).toEqual([{ s: 1 }])
    await owner.query('CREATE OR REPLACE VIEW chosen AS SELECT price FROM users WHERE id = 2')
    await told()
    expect(await kept(sql)).toEqual([{ s: 1 }])
    await owner.query('UPDATE users SET price = 9 WHERE id = 2')
    await told()
    expect(await kept(sql)).toEqual([{ s: 9 }])
  })

  test('REFRESH MATERIALIZED VIEW voids what carries the tag', async () => {
    const count = (): Promise<number> =>
      cache.getOrSet('frozen', async () => (await owner.query('SELECT n FROM frozen')).rows[0].n as number, {
        tags: ['millpond_ddl'],
      })
    expect(await count()).toBe(2)
    await owner.query('INSERT INTO users (id) VALUES (3); REFRESH MATERIALIZED VIEW frozen')
    await told()
    expect(await count()).toBe(3)
  })

  test('DROP, GRANT and DDL of one transaction are told; what is rolled back or temporary is not', async () => {
    const tells = async (sql: string): Promise<boolean> => {
      heard.clear()
      await owner.query(sql)
      await owner.query('UPDATE users SET price = price WHERE id = 1')
      await told()
      return heard.invalidated.some((tags) => tags.includes('millpond_ddl'))
    }
    expect(await tells('CREATE TABLE gone (id int)')).toBe(true)
    expect(await tells('DROP TABLE gone')).toBe(true)
    expect(await tells('GRANT SELECT ON users TO PUBLIC')).toBe(true)
    expect(await tells('BEGIN; CREATE TABLE gone (id int); DROP TABLE gone; COMMIT')).toBe(true)
    expect(await tells('BEGIN; CREATE TABLE gone (id int); ROLLBACK')).toBe(false)
    expect(await tells('CREATE TEMP TABLE mine (id int); CREATE INDEX ON mine (id); DROP TABLE mine')).toBe(false)
    await owner.query('CREATE ROLE maker LOGIN; GRANT CREATE ON SCHEMA public TO maker')
    const maker = await sessions.open({ user: 'maker' })
    heard.clear()
    await maker.query('CREATE TABLE made (id int)')
    await told()
    expect(heard.invalidated.flat()).toContain('millpond_ddl')
  })

  test("in mode 'triggers' too", async () => {
    await close()
    await owner.query(notifyTriggersSql(['users', 'millpond_ddl']))
    await open('triggers')
    await owner.query("CREATE OR REPLACE VIEW names AS SELECT id, 'first' AS name FROM users WHERE id = 1")
    await feed.reached(await positionOf(owner), 10_000)
    expect(await kept('SELECT name FROM names')).toEqual([{ name: 'first' }])
    await owner.query("CREATE OR REPLACE VIEW names AS SELECT id, 'replaced' AS name FROM users WHERE id = 1")
    await feed.reached(await positionOf(owner), 10_000)
    expect(await kept('SELECT name FROM names')).toEqual([{ name: 'replaced' }])
  })

  test('it is taken away without a trace', async () => {
    await close()
    await owner.query('ALTER PUBLICATION millpond DROP TABLE millpond_ddl')
    await owner.query(dropDdlTriggersSql())
    const { rows } = await owner.query(`SELECT (SELECT count(*) FROM pg_event_trigger)::int AS triggers,
      to_regclass('millpond_ddl') AS of_name, (SELECT count(*) FROM pg_proc WHERE proname = 'millpond_ddl')::int AS functions`)
    expect(rows).toEqual([{ triggers: 0, of_name: null, functions: 0 }])
    await owner.query('CREATE TABLE after_all (id int)')
  })
})

/** By this clock of the pool no time passes: the catalog is never looked at because it is time. */
const stopped = { monotonic: () => 0, wall: () => 0, after: () => ({ cancel() {} }) } as never
