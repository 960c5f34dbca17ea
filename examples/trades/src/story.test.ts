import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../tools/servers/postgres.ts'
import { type App, startApp } from './app.ts'
import { tellStory } from './story.ts'
import { fillTable } from './table.ts'
import { Terminal } from './terminal.ts'

// Each story opens a thousand connections, which a busy machine takes a while for.
vi.setConfig({ testTimeout: 120_000 })

let database: PostgresServer
let cached: App
let plain: App

beforeAll(async () => {
  database = await startPostgres()
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await fillTable(client, { rows: 1000 })
  await client.end()
  cached = await startApp({ databaseUrl: database.url, maxStalenessMs: 60_000 })
  plain = await startApp({ databaseUrl: database.url, skipCache: true })
})
afterAll(async () => {
  await Promise.all([cached?.close(), plain?.close()])
  await database?.destroy()
})

test('the story of the app as it is ends well', async () => {
  const { allKept, text } = await tell(cached, plain)
  expect(text).toMatch(/✓ 10 reads +10 queries without the cache, 1 with it/)
  expect(text).toMatch(/✓ 1,000 requests at once, cold key +1 query/)
  expect(text).toMatch(/✓ POST \/trades, then a read +fresh after/)
  expect(text).toMatch(/✓ INSERT by .*, then a read +fresh after/)
  expect(text).toMatch(/✓ INSERT of another symbol +fresh after .*; the first one is answered from the cache/)
  expect(allKept).toBe(true)
})

test('a cache that keeps nothing is found out', async () => {
  const { allKept, text } = await tell(plain, plain)
  expect(text).toMatch(/NOT AS PROMISED: 10 reads +10 queries without the cache, 10 with it/)
  expect(text).toMatch(/NOT AS PROMISED: 1,000 requests at once, cold key +1000 queries/)
  expect(text).toMatch(/NOT AS PROMISED: INSERT of another symbol .*; the first one is answered from the database/)
  expect(allKept).toBe(false)
})

test('a cache that goes stale is found out', async () => {
  await using stale = await staleApp()
  const { allKept, text } = await tell(stale, plain)
  expect(text).toMatch(/NOT AS PROMISED: POST \/trades, then a read +stale .* after the commit, 0 ms are allowed/)
  expect(text).toMatch(/NOT AS PROMISED: INSERT by .* after the commit, 20 ms are allowed/)
  expect(allKept).toBe(false)
})

test('the story can be broken off', async () => {
  const signal = AbortSignal.abort()
  await expect(tell(cached, plain, signal)).rejects.toThrow('aborted')
})

async function tell(cached: App, plain: App, signal?: AbortSignal): Promise<{ allKept: boolean; text: string }> {
  const out = new PassThrough({ encoding: 'utf8' })
  const stage = { cached, plain, databaseUrl: database.url, ...(signal && { signal }) }
  const allKept = await tellStory(stage, new Terminal(out as unknown as NodeJS.WriteStream, {}))
  return { allKept, text: String(out.read()) }
}

/** An app that answers every read with what it read at the beginning of time. */
async function staleApp(): Promise<App> {
  const server = createServer((request, response) => {
    response.writeHead(request.method === 'POST' ? 201 : 200).end('{"trades":1}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 2048, resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    maxStalenessMs: 20,
    stats: () => cached.stats(),
    close,
    [Symbol.asyncDispose]: close,
  }
}
