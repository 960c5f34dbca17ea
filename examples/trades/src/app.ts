/** The app: routes over a table of trades. They ask a pool of `pg` and know of no cache; connections.ts puts one around the pool. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { readFileSync } from 'node:fs'
import Fastify, { type FastifyReply } from 'fastify'
import { cachedConnections, plainConnections } from './connections.ts'
import { showLive } from './live.ts'
import { type AppStats, statsOf } from './stats.ts'
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

/** Starts the app on loopback. Throws with what to change where the database cannot feed the cache. */
export async function startApp(options: AppOptions): Promise<App> {
  const { databaseUrl, skipCache = false, port = 0, maxStalenessMs = 250 } = options
  const connections = skipCache ? plainConnections(databaseUrl) : await cachedConnections(databaseUrl, maxStalenessMs)
  const trades = new Trades(connections.pool)
  const server = Fastify({ ajv, schemaErrorFormatter: explain, forceCloseConnections: true })

  /** The request that a query is asked for. */
  const requests = new AsyncLocalStorage<{ servedFrom: 'cache' | 'database' }>()
  connections.cached?.pool.events.on('hit', () => {
    const request = requests.getStore()
    if (request) request.servedFrom = 'cache'
  })

  /** Reads, and says in a header where the answer came from. */
  async function read<Value>(reply: FastifyReply, ask: () => Promise<Value>): Promise<Value> {
    const request = { servedFrom: 'database' } as const
    const value = await requests.run(request, ask)
    reply.header('x-served-from', request.servedFrom)
    return value
  }

  server.get<{ Params: { symbol: string; side: Side } }>(
    '/trades/:symbol/:side',
    { schema: { params: summaryParams } },
    ({ params: { symbol, side } }, reply) => read(reply, () => trades.summary(symbol, side)),
  )

  server.get('/trades/count', (_, reply) => read(reply, () => trades.count()))

  server.post<{ Body: NewTrade }>('/trades', { schema: { body: newTrade } }, ({ body }, reply) => {
    reply.code(201)
    return trades.insert(body)
  })

  const stats = (): AppStats => statsOf(connections, maxStalenessMs)
  server.get('/stats', () => stats())

  const page = readFileSync(new URL('page.html', import.meta.url))
  server.get('/', (_, reply) => reply.type('text/html; charset=utf-8').send(page))
  showLive(server, connections.cached?.cache, stats)

  const closeAll = async (): Promise<void> => {
    await server.close()
    await connections.close()
  }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= closeAll())
  try {
    // A thousand connections may come at once; Node's own backlog is 511.
    const url = await server.listen({ host: '127.0.0.1', port, backlog: 2048 })
    return { url, maxStalenessMs, stats, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
