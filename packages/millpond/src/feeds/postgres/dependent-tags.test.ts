import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../../../tools/servers/postgres.ts'
import { type Cache, createCache } from '../../index.ts'
import { type PostgresFeed, positionOf, postgresFeed } from './index.ts'

let server: PostgresServer
let writer: pg.Client
let feed: PostgresFeed
let cache: Cache

beforeAll(async () => {
  server = await startPostgres()
  writer = new pg.Client(server.url)
  await writer.connect()
  await writer.query(`
    CREATE TABLE orders (id int PRIMARY KEY, tenant int, state text, paid bool, total numeric, day date);
    CREATE TABLE users (id int PRIMARY KEY, name text);
    ALTER TABLE orders REPLICA IDENTITY FULL;
    INSERT INTO orders SELECT i, i % 3, 'open', false, 1, '2026-01-01' FROM generate_series(1, 9) i;
    INSERT INTO users VALUES (1, 'one')`)
  feed = postgresFeed({ connectionString: server.url, tables: ['orders', 'users'] })
  cache = createCache({ feed, ttl: 'forever' })
  await feed.ready()
})
afterAll(async () => {
  await cache?.close()
  await writer?.end()
  await server?.destroy()
})

/** Everything that was committed has been told. */
async function told(): Promise<void> {
  await feed.reached(await positionOf(writer), 10_000)
  await feed.settled(10_000)
}

/** Whether each reader loads again after a change. */
async function loadsAfter(change: string, readers: Record<string, () => Promise<number>>): Promise<string[]> {
  await told()
  const before = await Promise.all(Object.values(readers).map((read) => read()))
  expect(await Promise.all(Object.values(readers).map((read) => read()))).toEqual(before)
  await writer.query(change)
  await told()
  const after = await Promise.all(Object.values(readers).map((read) => read()))
  return Object.keys(readers).filter((_, at) => after[at] !== before[at])
}

test('tables, rows and everything: a change reaches whoever depends on it', async () => {
  let loads = 0
  const load = () => ++loads
  const byTenant = cache.wrap((_tenant: number) => ++loads, {
    key: 'tenant',
    rows: (tenant) => [{ table: 'orders', where: { tenant } }],
  })
  const source = cache.define<string, number>({
    name: 'state',
    load,
    rows: (state) => [{ table: 'orders', where: { state: [state, 'lost'], tenant: [0, 1] } }],
  })
  const readers = {
    orders: () => cache.getOrSet('orders', load, { tables: ['orders'] }),
    users: cache.wrap(load, { key: 'users', tables: ['users'] }),
    everything: () => cache.getOrSet('everything', load, { tables: ['*'] }),
    tenant1: () => byTenant(1),
    tenant2: () => byTenant(2),
    open: () => source.get('open') as Promise<number>,
    paid: () => cache.getOrSet('paid', load, { rows: [{ table: 'orders', where: { paid: true, day: '2026-01-01' } }] }),
    total: () => cache.getOrSet('total', load, { rows: [{ table: 'orders', where: { total: 1 } }] }),
  }
  // The total is a number of a type whose equal values may be written differently: any change counts.
  const ofOrders = ['orders', 'everything', 'total']
  expect(await loadsAfter('UPDATE orders SET paid = paid WHERE id = 1', readers)).toEqual([
    ...['orders', 'everything', 'tenant1', 'open', 'total'],
  ])
  expect(await loadsAfter('UPDATE orders SET tenant = 2 WHERE id = 1', readers)).toEqual([
    ...['orders', 'everything', 'tenant1', 'tenant2', 'open', 'total'],
  ])
  expect(await loadsAfter("INSERT INTO orders VALUES (20, 2, 'lost', true, 1, '2026-01-01')", readers)).toEqual([
    ...['orders', 'everything', 'tenant2', 'paid', 'total'],
  ])
  expect(await loadsAfter("INSERT INTO orders VALUES (21, 7, 'none', true, 1, '2026-01-02')", readers)).toEqual(
    ofOrders,
  )
  expect(await loadsAfter('UPDATE users SET name = name', readers)).toEqual(['users', 'everything'])
  expect((await loadsAfter('TRUNCATE orders', readers)).toSorted()).toEqual(
    Object.keys(readers)
      .filter((name) => name !== 'users')
      .toSorted(),
  )
})

test('what is announced and not visible binds dependencies that are new', async () => {
  await writer.query(`INSERT INTO orders VALUES (50, 50, 'old', false, 1, '2026-01-01')`)
  await told()
  const other = new pg.Client(server.url)
  await other.connect()
  const standbys = async (names: string): Promise<void> => {
    await other.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
    await other.query('SELECT pg_reload_conf()')
  }
  await standbys('nobody')
  // The setting is taken over in the server's own time: until then commits pass.
  let passed = 0
  let held: Promise<unknown> | undefined
  while (!held) {
    const before = passed
    const commit = writer.query('UPDATE orders SET state = $1 WHERE id = 50', [`state ${before + 1}`])
    void commit.then(() => passed++)
    const waits = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    while (passed === before && !held) if ((await other.query(waits)).rowCount) held = commit
    if (!held) await told()
  }
  while (feed.status().unsettled === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  const state = async (): Promise<string> =>
    (await other.query('SELECT state FROM orders WHERE tenant = 50')).rows[0].state as string
  const readers = [
    () => cache.getOrSet('50 by id', state, { rows: [{ table: 'orders', where: { id: 50 } }] }),
    () => cache.getOrSet('50 by day', state, { rows: [{ table: 'orders', where: { day: '2026-01-01', id: 50 } }] }),
  ]
  const old = passed === 0 ? 'old' : `state ${passed}`
  expect(await Promise.all(readers.map((read) => read()))).toEqual([old, old])
  await standbys('')
  await held
  await told()
  expect(await Promise.all(readers.map((read) => read()))).toEqual([`state ${passed}`, `state ${passed}`])
  await other.end()
})

test('what is written through a source carries what a load would depend on', async () => {
  let loads = 0
  const source = cache.define<number, string>({
    name: 'user',
    load: () => `loaded ${++loads}`,
    write: () => {},
    rows: (id) => [{ table: 'users', where: { id } }],
  })
  await source.set(1, 'written')
  expect(await source.get(1)).toBe('written')
  await writer.query('UPDATE users SET name = name WHERE id = 1')
  await told()
  expect(await source.get(1)).toBe('loaded 1')
})

test('what cannot be told of is refused, and says what to do', async () => {
  const load = () => 1
  const refused = async (options: object, words: RegExp) => {
    await expect(cache.getOrSet('refused', load, options)).rejects.toThrow(words)
    await expect(cache.getOrSet('refused', load, options)).rejects.toMatchObject({ code: 'ERR_OPTION' })
  }
  await refused({ tables: ['ordres'] }, /tables: .*ordres.*tells of/s)
  await refused({ rows: [{ table: 'orders', where: { total: 1.5 } }] }, /rows\.where\.total/)
  await refused({ rows: [{ table: 'orders', where: { state: null } }] }, /rows\.where\.state/)
  await refused({ rows: [{ table: 'orders', where: { state: ['a', 1] } }] }, /rows\.where\.state/)
  const unfed = createCache()
  await expect(unfed.getOrSet('key', load, { tables: ['orders'] })).rejects.toThrow(/give the cache a feed/)
  await unfed.close()
  const disabled = createCache({ feed, enabled: false })
  expect(await disabled.getOrSet('key', load, { tables: ['orders'] })).toBe(1)
})
