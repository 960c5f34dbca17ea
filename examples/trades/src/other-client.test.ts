import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../tools/servers/postgres.ts'
import { otherClient } from './other-client.ts'

let database: PostgresServer
let client: pg.Client
beforeAll(async () => {
  database = await startPostgres()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('CREATE TABLE notes (id int PRIMARY KEY)')
})
afterAll(async () => {
  await client?.end()
  await database?.destroy()
})

test('without psql it is a connection of pg', () => {
  expect(otherClient('').name).toBe('a pg client')
})

// With psql on this machine's PATH these are two clients, else one of them twice.
test.each([otherClient(), otherClient('')].map((other, at) => ({ at, other, name: other.name })))(
  '$name has committed when it says so, and passes on what fails',
  async ({ at, other }) => {
    const committedMs = await other.commit(database.url, `INSERT INTO notes VALUES (${at})`)
    expect(committedMs).toBeLessThanOrEqual(performance.now())
    expect((await client.query('SELECT id FROM notes WHERE id = $1', [at])).rows).toEqual([{ id: at }])
    await expect(other.commit(database.url, `INSERT INTO notes VALUES (${at})`)).rejects.toThrow('duplicate key')
  },
)
