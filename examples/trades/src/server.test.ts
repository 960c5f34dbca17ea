import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../tools/servers/postgres.ts'
import { fillTable } from './table.ts'

let database: PostgresServer
beforeAll(async () => {
  database = await startPostgres()
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await fillTable(client, { rows: 1000 })
  await client.end()
})
afterAll(() => database?.destroy())

test('the app runs by itself until it is told to stop', async () => {
  const child = start({ DATABASE_URL: database.url, SKIP_CACHE: 'true' })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const url = /the app runs at (\S+)/.exec(String(line))?.[1]
  expect(await (await fetch(`${url}/stats`)).json()).toMatchObject({ cacheIsOn: false })
  expect(await (await fetch(`${url}/trades/count`)).json()).toEqual({ trades: 1000 })
  child.kill('SIGTERM')
  expect(await once(child, 'close')).toEqual([0, null])
})

test('it says what it needs', async () => {
  const child = start({ DATABASE_URL: '' })
  const [[line], [code]] = await Promise.all([once(child.stderr, 'data'), once(child, 'close')])
  expect(String(line)).toMatch(/^✗ set DATABASE_URL/)
  expect(code).toBe(1)
})

function start(env: NodeJS.ProcessEnv) {
  const flags = ['--conditions=@millpond/source', '--import', 'tsx', join(import.meta.dirname, 'server.ts')]
  return spawn(process.execPath, flags, {
    cwd: import.meta.dirname,
    env: { ...process.env, PORT: '', SKIP_CACHE: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
