import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../tools/servers/postgres.ts'
import { fillTable, SYMBOLS } from './table.ts'

let database: PostgresServer
beforeAll(async () => {
  database = await startPostgres()
})
afterAll(() => database?.destroy())

test('fills a table with all symbols and sides, the same trades each time, and tells how far it is', async () => {
  const told: number[] = []
  const fill = (name: string) =>
    inDatabase(name, async (client) => {
      await fillTable(client, { rows: 60_000, progress: (rows) => told.push(rows) })
      const { rows } = await client.query(`
        SELECT count(*)::int AS trades, count(DISTINCT (symbol, side))::int AS keys,
               md5(string_agg(concat_ws(' ', id, symbol, side, price, quantity), ',' ORDER BY id)) AS sum FROM trades`)
      return rows[0]
    })
  const one = await fill('one')
  expect(one).toMatchObject({ trades: 60_000, keys: 2 * SYMBOLS.length })
  expect(told).toEqual([25_000, 50_000, 60_000])
  expect(await fill('two')).toEqual(one)
})

test('fills up what is there, and leaves a full table as it is', async () => {
  await inDatabase('three', async (client) => {
    for (const rows of [100, 250, 250, 50]) await fillTable(client, { rows })
    expect((await client.query('SELECT count(*)::int AS trades FROM trades')).rows).toEqual([{ trades: 250 }])
  })
})

test('leaves a table of somebody else alone', async () => {
  await inDatabase('four', async (client) => {
    await client.query('CREATE TABLE trades (note text)')
    await expect(fillTable(client, { rows: 10 })).rejects.toThrow('give DATABASE_URL another database')
    expect((await client.query('SELECT note FROM trades')).rows).toEqual([])
  })
})

test('stops when it is asked to', async () => {
  await inDatabase('five', async (client) => {
    const stop = new AbortController()
    const filling = fillTable(client, { rows: 100_000, progress: () => stop.abort(), signal: stop.signal })
    await expect(filling).rejects.toThrow('aborted')
    expect((await client.query('SELECT count(*)::int AS trades FROM trades')).rows).toEqual([{ trades: 25_000 }])
  })
})

async function inDatabase<Result>(name: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const admin = new pg.Client({ connectionString: database.url })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name}`)
  await admin.end()
  const client = new pg.Client({ connectionString: database.urlOf({ database: name }) })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
