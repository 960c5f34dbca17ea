/**
 * The app: routes over a table of trades, a cache in front of the table, and PostgreSQL's own change feed, which keeps
 * the cache fresh whoever writes.
 */
import { readFileSync } from 'node:fs'
import Fastify, { type FastifyReply } from 'fastify'
import { type CacheStats, createCache } from 'millpond'
import { postgresFeed } from 'millpond/postgres'
import { showLive } from './live.ts'
import { type NewTrade, type Side, Trades } from './trades.ts'
import { ajv, explain, newTrade, summaryParams } from './validation.ts'

export interface AppOptions {
  databaseUrl: string
  /** Whether each read goes to the database. Default false. */
  skipCache?: boolean
  /** Default: any that is free. */
  port?: number
  /** A write by anybody shows in each read that begins this long after it. Default 250. */
  maxStalenessMs?: number
}

export interface App extends AsyncDisposable {
  readonly url: string
  readonly maxStalenessMs: number
  stats(): AppStats
  close(): Promise<void>
}

export interface AppStats extends CacheStats {
  /** Queries that reached the database, writes included. */
  queries: number
  cacheIsOn: boolean
}

/** Everything that is read from this table carries this tag; the feed voids it with each commit that touches the table. */
const tags = ['trades']

/** Starts the app on loopback. Throws with what to change where the database cannot feed the cache. */
export async function startApp(options: AppOptions): Promise<App> {
  const { databaseUrl, skipCache = false, port = 0, maxStalenessMs = 250 } = options
  const trades = new Trades(databaseUrl)
  const feed = postgresFeed({ connectionString: databaseUrl, tables: ['trades'], maxStaleness: maxStalenessMs })
  const cache = createCache({ name: 'trades', ttl: 'forever', feed, enabled: !skipCache })
  const server = Fastify({ ajv, schemaErrorFormatter: explain, forceCloseConnections: true })

  /** Reads through the cache, and says in a header where the answer came from. */
  function read<Value>(reply: FastifyReply, key: string, load: () => Promise<Value>): Promise<Value> {
    reply.header('x-served-from', 'cache')
    const loadAndSay = (): Promise<Value> => {
      reply.header('x-served-from', 'database')
      return load()
    }
    return cache.getOrSet(key, loadAndSay, { tags })
  }

  server.get<{ Params: { symbol: string; side: Side } }>(
    '/trades/:symbol/:side',
    { schema: { params: summaryParams } },
    ({ params: { symbol, side } }, reply) => read(reply, `${symbol}-${side}`, () => trades.summary(symbol, side)),
  )

  server.get('/trades/count', (_, reply) => read(reply, 'count', () => trades.count()))

  server.post<{ Body: NewTrade }>('/trades', { schema: { body: newTrade } }, ({ body }, reply) => {
    reply.code(201)
    // The feed would tell of this write too, a moment later; whoever posts here reads the own write at once.
    return cache.mutate({ tags }, () => trades.insert(body))
  })

  const stats = (): AppStats => ({ ...cache.stats(), queries: trades.queries, cacheIsOn: !skipCache })
  server.get('/stats', () => stats())

  const page = readFileSync(new URL('page.html', import.meta.url))
  server.get('/', (_, reply) => reply.type('text/html; charset=utf-8').send(page))
  showLive(server, cache, stats)

  const closeAll = async (): Promise<void> => {
    await server.close()
    await cache.close()
    await trades.close()
  }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= closeAll())
  try {
    if (!skipCache) await feed.ready()
    // A thousand connections may come at once; Node's own backlog is 511.
    const url = await server.listen({ host: '127.0.0.1', port, backlog: 2048 })
    return { url, maxStalenessMs, stats, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
