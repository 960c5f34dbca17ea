import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { date, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import knex from 'knex'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../../tools/servers/postgres.ts'
import { type Cache, createCache } from '../../../index.ts'
import { type PostgresFeed, positionOf, postgresFeed } from '../index.ts'
import { type CachedPool, cachePool } from './cache-pool.ts'
import { cachedPg } from './cached-pg.ts'

/** Query builders, unchanged, on a cached pool or driver. */
let server: PostgresServer
let raw: pg.Pool
let writer: pg.Client
let feed: PostgresFeed
let cache: Cache
let pool: pg.Pool & CachedPool

beforeAll(async () => {
  server = await startPostgres()
  writer = new pg.Client(server.url)
  await writer.connect()
  await writer.query(`CREATE TABLE users (id int PRIMARY KEY, name text, day date, made timestamptz, info jsonb);
    CREATE TABLE pets (id int PRIMARY KEY, user_id int, name text);
    ALTER TABLE users REPLICA IDENTITY FULL; ALTER TABLE pets REPLICA IDENTITY FULL`)
})
afterAll(async () => {
  await writer?.end()
  await server?.destroy()
})
beforeEach(async () => {
  await writer.query(`DELETE FROM users; DELETE FROM pets;
    INSERT INTO users SELECT i, 'u' || i, '2026-01-02', '2026-01-02 03:04:05Z', '{"a": 1}' FROM generate_series(1, 9) i;
    INSERT INTO pets SELECT i, i, 'p' || i FROM generate_series(1, 9) i`)
  raw = new pg.Pool({ connectionString: server.url })
  feed = postgresFeed({ connectionString: server.url, tables: ['users', 'pets'] })
  cache = createCache({ feed })
  await feed.ready()
  pool = cachePool(raw, { cache, feed })
})
afterEach(async () => {
  await cache?.close()
  if (!raw.ended) await raw.end()
})

/** A write of somebody else, as by psql. */
async function written(sql: string): Promise<void> {
  await writer.query(sql)
  await feed.reached(await positionOf(writer), 5000)
  await feed.settled(5000)
}

/** What every builder has to show: `read` gives the name of user 1, `rename` sets it within a transaction. */
async function behaves(read: () => Promise<string>, rename: (name: string) => Promise<string>): Promise<void> {
  // On a connection that somebody holds a new text is analysed behind his back.
  await expect
    .poll(async () => {
      expect(await read()).toBe('u1')
      return cache.stats().hits
    })
    .toBeGreaterThan(0)
  const { hits } = cache.stats()
  await written("UPDATE users SET name = 'other' WHERE id = 2")
  expect(await read()).toBe('u1')
  expect(cache.stats().hits).toBe(hits + 1)
  await written("UPDATE users SET name = 'psql' WHERE id = 1")
  expect(await read()).toBe('psql')
  expect(await rename('mine'), 'within the transaction').toBe('mine')
  expect(await read(), 'after it').toBe('mine')
}

const users = pgTable('users', {
  id: integer().primaryKey(),
  name: text(),
  day: date(),
  made: timestamp({ withTimezone: true }),
  info: jsonb(),
})
const pets = pgTable('pets', { id: integer().primaryKey(), userId: integer('user_id'), name: text() })

test('Drizzle', async () => {
  const db = drizzle(pool)
  const read = async (): Promise<string> => (await db.select().from(users).where(eq(users.id, 1)))[0]!.name!
  const rename = (name: string): Promise<string> =>
    db.transaction(async (tx) => {
      await tx.update(users).set({ name }).where(eq(users.id, 1))
      return (await tx.select().from(users).where(eq(users.id, 1)))[0]!.name!
    })
  await behaves(read, rename)
  const joined = db.select().from(users).leftJoin(pets, eq(pets.userId, users.id)).where(eq(users.id, 3))
  for (let count = 0; count < 2; count++) {
    const [row] = await joined
    expect(row).toEqual({
      users: { id: 3, name: 'u3', day: '2026-01-02', made: new Date('2026-01-02T03:04:05Z'), info: { a: 1 } },
      pets: { id: 3, userId: 3, name: 'p3' },
    })
  }
})

interface Database {
  users: { id: number; name: string }
}

test('Kysely', async () => {
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
  const named = (from: Pick<Kysely<Database>, 'selectFrom'>) =>
    from.selectFrom('users').select('name').where('id', '=', 1).executeTakeFirstOrThrow()
  await behaves(
    async () => (await named(db)).name,
    (name) =>
      db.transaction().execute(async (tx) => {
        await tx.updateTable('users').set({ name }).where('id', '=', 1).execute()
        return (await named(tx)).name
      }),
  )
})

test('Knex, which takes the driver', async () => {
  const driver = cachedPg(pg, { cache, feed, pool: raw })
  const { default: PostgresClient } = await import('knex/lib/dialects/postgres/index.js' as string)
  class CachedClient extends PostgresClient {
    _driver(): object {
      return driver
    }
  }
  const db = knex({ client: CachedClient as unknown as typeof knex.Client, connection: server.url })
  try {
    await behaves(
      async () => (await db('users').where({ id: 1 }).first()).name,
      (name) =>
        db.transaction(async (tx) => {
          await tx('users').where({ id: 1 }).update({ name })
          return (await tx('users').where({ id: 1 }).first()).name
        }),
    )
  } finally {
    await db.destroy()
  }
})

test('who makes pools by the driver, as TypeORM does, gets cached ones', async () => {
  const { Pool } = cachedPg(pg, { cache, feed, pool: raw })
  const made = new Pool({ connectionString: server.url })
  const connected = (): Promise<{ client: pg.PoolClient; release: () => void }> =>
    new Promise((resolve, reject) => {
      made.connect((error, client, release) => (error ? reject(error) : resolve({ client: client!, release })))
    })
  const on = async (run: (client: pg.PoolClient) => Promise<string>): Promise<string> => {
    const { client, release } = await connected()
    try {
      return await run(client)
    } finally {
      release()
    }
  }
  const name = async (client: pg.PoolClient): Promise<string> =>
    (await client.query('SELECT name FROM users WHERE id = $1', [1])).rows[0].name
  const behaving = behaves(
    () => on(name),
    (next) =>
      on(async (client) => {
        await client.query('BEGIN')
        await client.query('UPDATE users SET name = $1 WHERE id = 1', [next])
        const seen = await name(client)
        await client.query('COMMIT')
        return seen
      }),
  )
  try {
    await behaving
  } finally {
    await made.end()
  }
})
