import { once } from 'node:events'
import net from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../tools/servers/postgres.ts'
import { type App, startApp } from './app.ts'
import { fillTable } from './table.ts'
import type { NewTrade, Summary } from './trades.ts'

let database: PostgresServer
let client: pg.Client
let app: App
let plain: App

beforeAll(async () => {
  database = await startPostgres()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await fillTable(client, { rows: 2000 })
})
afterAll(async () => {
  await client?.end()
  await database?.destroy()
})

beforeEach(async () => {
  // On a busy machine the proof of freshness may be late; here a hit has to be a hit.
  app = await startApp({ databaseUrl: database.url, maxStalenessMs: 60_000 })
  plain = await startApp({ databaseUrl: database.url, skipCache: true })
})
afterEach(() => Promise.all([app?.close(), plain?.close()]))

const trade: NewTrade = { symbol: 'MILL', side: 'buy', price: 12.5, quantity: 10 }

describe('GET /trades/:symbol/:side', () => {
  test('adds up the trades of one symbol and side', async () => {
    for (const [price, quantity] of [
      [10, 1],
      [20.5, 3],
    ])
      await post(app, { symbol: 'SUM', side: 'sell', price: price!, quantity: quantity! })
    await post(app, { ...trade, symbol: 'SUM' })
    const { body } = await get<Summary>(app, '/trades/SUM/sell')
    expect(body).toEqual({
      symbol: 'SUM',
      side: 'sell',
      trades: 2,
      quantity: 4,
      averagePrice: 17.875,
      lowestPrice: 10,
      highestPrice: 20.5,
      lastTradedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    })
  })

  test('has no prices where there are no trades', async () => {
    const { body } = await get<Summary>(app, '/trades/NONE/buy')
    expect(body).toMatchObject({ trades: 0, quantity: 0, averagePrice: null, lastTradedAt: null })
  })

  test('asks the database once, then the cache, and gives the same', async () => {
    const first = await get(app, '/trades/MILL/buy')
    const second = await get(app, '/trades/MILL/buy')
    expect([first.from, second.from]).toEqual(['database', 'cache'])
    expect(second.body).toEqual(first.body)
    expect(app.stats()).toMatchObject({ hits: 1, misses: 1, queries: 1, cacheIsOn: true })
  })

  test('is counted, with how late the feed is, how late it may be, and why a query was passed on', async () => {
    await get(app, '/trades/MILL/buy')
    await post(app, trade)
    const stats = (await fetch(`${app.url}/stats`).then((answer) => answer.json())) as { lagMs: number }
    expect(stats).toMatchObject({
      queries: 2,
      maxStalenessMs: 60_000,
      passed: { 'it is no SELECT (Insert)': 1 },
      unproven: 0,
    })
    expect(stats.lagMs).toBeGreaterThanOrEqual(0)
    expect(stats.lagMs).toBeLessThan(60_000)
    expect(plain.stats()).toMatchObject({ lagMs: undefined, bypassReason: undefined, passed: {} })
  })

  test('goes to the database, and says why, while the feed is away', async () => {
    await using proxy = await startProxy(database.port)
    await using cut = await startApp({ databaseUrl: proxy.url, maxStalenessMs: 300 })
    await get(cut, '/trades/MILL/buy')
    proxy.holdFeed()
    // While nothing is written there is nothing to miss.
    await client.query("INSERT INTO trades (symbol, side, price, quantity) VALUES ('MILL', 'buy', 1, 1)")
    await expect.poll(() => cut.stats().bypassReason, { timeout: 10_000 }).toMatch(/behind|did not answer|silent/)
    const from = async () => (await get(cut, '/trades/MILL/buy')).from
    await expect.poll(from).toBe('database')
  })

  test('asks the database once for hundreds who ask at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 300 }, () => get(app, '/trades/POND/sell')))
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect(app.stats().queries).toBe(1)
  })

  test('asks the database each time with SKIP_CACHE', async () => {
    for (let read = 0; read < 3; read++) expect((await get(plain, '/trades/MILL/buy')).from).toBe('database')
    await Promise.all([get(plain, '/trades/count'), get(plain, '/trades/count')])
    expect(plain.stats()).toMatchObject({ hits: 0, queries: 5, cacheIsOn: false })
  })
})

describe('a write', () => {
  test('of one symbol is told apart from others in the answer, and counted', async () => {
    const before = await get<{ trades: number }>(app, '/trades/count')
    await post(app, { ...trade, symbol: 'OTHER' })
    expect((await get<{ trades: number }>(app, '/trades/count')).body.trades).toBe(before.body.trades + 1)
    expect((await get<Summary>(app, '/trades/OTHER/buy')).body.trades).toBe(1)
    expect((await get<Summary>(app, '/trades/OTHER/sell')).body.trades).toBe(0)
  })

  test('by POST is answered with what was stored', async () => {
    const { status, body } = await post(app, trade)
    expect(status).toBe(201)
    expect(body).toMatchObject({ ...trade, id: expect.any(Number), tradedAt: expect.any(String) })
  })

  test('by POST shows in the very next read, even where the feed is slow to tell', async () => {
    await using proxy = await startProxy(database.port)
    await using slow = await startApp({ databaseUrl: proxy.url, maxStalenessMs: 60_000 })
    const before = await get<Summary>(slow, '/trades/MILL/buy')
    proxy.holdFeed()
    await post(plain, trade)
    expect((await get<Summary>(slow, '/trades/MILL/buy')).body.trades).toBe(before.body.trades)
    await post(slow, trade)
    expect((await get<Summary>(slow, '/trades/MILL/buy')).body.trades).toBe(before.body.trades + 2)
  })

  test('leaves the answers that it does not change', async () => {
    const [mill, pond] = ['/trades/MILL/sell', '/trades/POND/sell']
    await get(app, mill)
    const before = await get<Summary>(app, pond)
    await client.query("INSERT INTO trades (symbol, side, price, quantity) VALUES ('POND', 'sell', 1, 1)")
    await readUntil(app, pond, before.body.trades + 1)
    expect((await get(app, mill)).from).toBe('cache')
  })

  // The value would be kept for ever: only the feed can make it fresh.
  test('by another connection shows', async () => {
    const before = await get<Summary>(app, '/trades/MILL/sell')
    await client.query("INSERT INTO trades (symbol, side, price, quantity) VALUES ('MILL', 'sell', 1, 1)")
    await readUntil(app, '/trades/MILL/sell', before.body.trades + 1)
  })

  test('by another app shows', async () => {
    const before = await get<Summary>(app, '/trades/WEIR/buy')
    await post(plain, { ...trade, symbol: 'WEIR' })
    await readUntil(app, '/trades/WEIR/buy', before.body.trades + 1)
  })
})

describe('what cannot be used', () => {
  test.each([
    ['/trades/mill/buy', 'symbol: "mill" cannot be used; give one to eight capital letters'],
    ['/trades/MILLPONDS/buy', 'symbol: "MILLPONDS" cannot be used; give one to eight capital letters'],
    ['/trades/MILL/hold', 'side: "hold" cannot be used; give buy or sell'],
  ])('GET %s', async (path, message) => {
    const { status, body } = await get(app, path)
    expect([status, body]).toEqual([400, expect.objectContaining({ message })])
    expect(app.stats().queries).toBe(0)
  })

  const shape = 'give an object with symbol, side, price and quantity, and nothing else'
  test.each([
    [{ ...trade, side: 'hold' }, 'side: "hold" cannot be used; give buy or sell'],
    [{ ...trade, price: 0 }, 'price: 0 cannot be used; give a number from 0.01 to 1,000,000'],
    [{ ...trade, price: '12' }, 'price: "12" cannot be used; give a number from 0.01 to 1,000,000'],
    [{ ...trade, quantity: 1.5 }, 'quantity: 1.5 cannot be used; give a whole number from 1 to 1,000,000'],
    [{ ...trade, quantity: 2e9 }, 'quantity: 2000000000 cannot be used; give a whole number from 1 to 1,000,000'],
    [{ symbol: 'MILL' }, `body: {"symbol":"MILL"} cannot be used; ${shape}`],
    [{ ...trade, id: 1 }, shape],
    [[], `body: [] cannot be used; ${shape}`],
  ])('POST %j', async (body, message) => {
    const answer = await post(app, body)
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining(message) } })
    expect(app.stats().queries).toBe(0)
  })

  test('a body that is no JSON', async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${app.url}/trades`, { method: 'POST', headers, body: '{"symbol":' })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ message: expect.stringMatching(/JSON/) }),
    ])
  })
})

describe('the page', () => {
  test('is one file', async () => {
    const answer = await fetch(app.url)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const html = await answer.text()
    expect(html).toContain('<h1>')
    expect(html).not.toMatch(/(src|href)="(?!data:)/)
  })

  test('is told of requests, commits and statistics as they happen', async () => {
    const told = watch(app)
    expect((await told.next()).value!.stats).toMatchObject({ hits: 0, queries: 0 })
    await get(app, '/trades/RACE/buy')
    await client.query("INSERT INTO trades (symbol, side, price, quantity) VALUES ('RACE', 'buy', 1, 1)")
    const happenings: unknown[] = []
    while (happenings.length < 2) happenings.push(...(await told.next()).value!.happenings)
    expect(happenings).toEqual([
      { kind: 'request', what: 'GET /trades/RACE/buy', status: 200, ms: expect.any(Number), from: 'database' },
      { kind: 'commit' },
    ])
    // A page that is open does not keep the app from closing.
    await app.close()
    while (!(await told.next()).done);
  })
})

test('without its table the app does not start, and says what is missing', async () => {
  await client.query('CREATE DATABASE bare')
  const starting = startApp({ databaseUrl: database.urlOf({ database: 'bare' }) })
  await expect(starting).rejects.toThrow(/trades/)
})

interface Answer<Body> {
  status: number
  from: string | null
  body: Body
}

async function get<Body = unknown>({ url }: App, path: string): Promise<Answer<Body>> {
  const answer = await fetch(url + path)
  return { status: answer.status, from: answer.headers.get('x-served-from'), body: (await answer.json()) as Body }
}

async function post({ url }: App, trade: unknown): Promise<Answer<unknown>> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/trades`, { method: 'POST', headers, body: JSON.stringify(trade) })
  return { status: answer.status, from: null, body: await answer.json() }
}

/** Ends when the read shows this many trades; a cache that is never told runs into the time limit of the test. */
async function readUntil(app: App, path: string, trades: number): Promise<void> {
  while ((await get<Summary>(app, path)).body.trades !== trades);
}

interface Told {
  happenings: unknown[]
  stats: unknown
}

async function* watch({ url }: App): AsyncGenerator<Told, void> {
  const { body } = await fetch(`${url}/live`)
  let text = ''
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield JSON.parse(text.slice('data: '.length, end)) as Told
      text = text.slice(end + 2)
    }
  }
}

/** A way to the database on which what the feed's stream carries can be held back. */
async function startProxy(databasePort: number) {
  const sockets: net.Socket[] = []
  const feeds: net.Socket[] = []
  const server = net.createServer((client) => {
    const upstream = net.connect(databasePort, '127.0.0.1')
    sockets.push(client, upstream)
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.once('data', (startup) => {
      if (startup.includes('replication')) feeds.push(upstream)
    })
    client.pipe(upstream).pipe(client)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as net.AddressInfo
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    holdFeed: () => {
      for (const upstream of feeds) upstream.unpipe().pause()
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}
