import { callbackify } from 'node:util'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { type Duration, durationMs } from '../../../core/duration.ts'
import { OptionError } from '../../../core/errors.ts'
import type { PostgresFeed } from '../feed.ts'
import { ConnectionStates } from './connection-state.ts'
import { type Explanation, explain } from './explanation.ts'
import { facadeOf } from './facade.ts'
import { Origins } from './origins.ts'
import { OwnWrites } from './own-writes.ts'
import { parserOf, type SqlParser } from './parser.ts'
import type { PgPool, PgPoolClient, PgResult } from './pg-pool.ts'
import { QueryCache, type QueryCacheStore, type Runner } from './query-cache.ts'
import { type QueryCall, type ReadMode, readCall } from './query-call.ts'
import { Shapes } from './shapes.ts'

/** Options of `cachePool`. */
export interface CachePoolOptions {
  /** Where answers are kept: a cache that was made with the same `feed`. */
  readonly cache: QueryCacheStore
  /** Tells of every commit. Queries of its tables are cached. */
  readonly feed: PostgresFeed
  /** Part of every key: pools with other settings or another role on the same cache have another name. Default `'sql'`. */
  readonly name?: string
  /** How fresh answers are where a query does not say it: see `ReadMode`. Default `'bounded'`. */
  readonly read?: ReadMode
  /**
   * How long a reader waits for the feed to get as far as he needs (what this process has written, `atLeast`, `'strict'`),
   * before the database is asked. Up: fewer queries while the feed lags. Down: no reader waits long. Default 50 ms.
   */
  readonly wait?: Duration
  /**
   * The role that all connections of the pool have. Given, tables with row security are cached too, as this role sees
   * them: no setting of a session may change what it sees. Default: such tables are never cached.
   */
  readonly role?: string
  /** `libpg-query`. Default: the installed package, loaded when the first query is asked. */
  readonly parser?: SqlParser
  readonly clock?: Clock
}

/** What a cached pool can do besides. */
export interface CachedPool {
  /** Whether a query is cached; why not, in words; and which rows its answer depends on. */
  explain(sql: string): Promise<Explanation>
}

/**
 * A pool of `pg` that answers SELECTs from the cache. It is used like the pool itself: `query`, `connect`, events; whatever
 * it does not know it leaves to the pool. No query is changed, and none is cached of which it is not known what
 * makes its answer old: `explain` says why.
 *
 * Within a transaction everything goes to the database. Rows that are handed out are the caller's own; objects inside of
 * them (JSON, dates, arrays) are shared and frozen. A query can say how fresh it has to be: `{ text, read: 'strict' }`.
 *
 * @throws OptionError (`ERR_OPTION`) for options that cannot work
 */
export function cachePool<P extends PgPool>(pool: P, options: CachePoolOptions): P & CachedPool {
  if (typeof pool?.query !== 'function' || typeof pool.connect !== 'function')
    throw new OptionError('pool', pool, 'give a pool of the package `pg`: cachePool(new pg.Pool(...), ...)')
  const queries = new PoolQueries(pool, options)
  return facadeOf(pool, {
    query: (...args: unknown[]) => queries.query(args),
    connect: (...args: unknown[]) => queries.connect(args),
    explain: (sql: string) => queries.explain(sql),
  }) as P & CachedPool
}

/** Runs the queries of a pool and of the connections that it hands out. */
class PoolQueries {
  private readonly pool: Plain<PgPool>
  private readonly states = new ConnectionStates()
  private readonly origins: Origins
  private readonly facades = new WeakMap<PgPoolClient, PgPoolClient>()
  private readonly parts: Promise<{ cache: QueryCache; shapes: Shapes }>

  constructor(pool: PgPool, options: CachePoolOptions) {
    this.pool = pool as Plain<PgPool>
    this.origins = new Origins(options.feed)
    const { cache, feed, name = 'sql', read = 'bounded', wait = 50, role, parser, clock = systemClock } = options
    const waitMs = durationMs(wait, 'wait')
    const writes = new OwnWrites(() => feed.now())
    this.parts = parserOf(parser).then((parse) => {
      const shapes = new Shapes({ parse, client: pool, feed, byRole: role !== undefined }, clock)
      const key = role === undefined ? name : `${name}/${role}`
      return { shapes, cache: new QueryCache({ cache, feed, shapes, writes, name: key, read, waitMs }) }
    })
    // Told to whoever asks a query.
    this.parts.catch(() => {})
  }

  query(args: readonly unknown[]): unknown {
    const call = readCall(args)
    if (!call) return this.pool.query(...args)
    return answered(call, this.queryPool(call, withoutCallback(args)))
  }

  /** A connection for whoever wants one, with queries that are answered from the cache while it is idle. */
  connect(args: readonly unknown[]): unknown {
    const [callback] = args
    const connected = this.pool.connect().then((client) => this.facadeFor(client))
    if (typeof callback !== 'function') return connected
    callbackify(() => connected)((error, client) => callback(error ?? undefined, client, client?.release ?? (() => {})))
    return undefined
  }

  async explain(sql: string): Promise<Explanation> {
    const { shapes } = await this.parts
    return explain(await shapes.of(sql))
  }

  private async queryPool(call: QueryCall, args: readonly unknown[]): Promise<unknown> {
    const { cache, shapes } = await this.parts
    const shape = shapes.peek(call.text) ?? (await shapes.of(call.text).catch(() => undefined))
    const pass = (): Promise<unknown> => this.pool.query(...args)
    if (!shape) return await cache.pass(shape, { pass })
    return await cache.read(call, shape, { waits: true, pass, load: (began) => this.loadOnPool(args, began) })
  }

  /** What is to be kept is asked on a connection that is known. */
  private async loadOnPool(args: readonly unknown[], began: () => void): ReturnType<Runner['load']> {
    const client = await this.pool.connect()
    began()
    let failure: unknown
    try {
      return await this.load(client, args)
    } catch (error) {
      failure = error
      throw error
    } finally {
      // An error of a statement has a code of five characters; anything else is of the connection.
      client.release(
        failure !== undefined && String((failure as { code?: unknown }).code).length !== 5 ? failure : undefined,
      )
    }
  }

  private async load(client: PlainClient, args: readonly unknown[]): ReturnType<Runner['load']> {
    const isSure = this.states.of(client).isPlain && (await this.origins.isSure(client))
    return { isSure, result: (await client.query(...args)) as PgResult }
  }

  private facadeFor(client: PlainClient): PlainClient {
    const facade =
      this.facades.get(client) ?? facadeOf(client, { query: (...args: unknown[]) => this.queryOn(client, args) })
    this.facades.set(client, facade)
    return facade as PlainClient
  }

  private queryOn(client: PlainClient, args: readonly unknown[]): unknown {
    const call = readCall(args)
    const state = this.states.of(client)
    // A cursor or a stream begins now; what comes after it waits in `pg`'s own queue.
    if (!call) return client.query(...args)
    return answered(
      call,
      state.inTurn(() => this.queryClient(client, call, withoutCallback(args))),
    )
  }

  private async queryClient(client: PlainClient, call: QueryCall, args: readonly unknown[]): Promise<unknown> {
    const state = this.states.of(client)
    const { cache, shapes } = await this.parts
    const shape = shapes.peek(call.text)
    const pass = async (): Promise<unknown> => {
      state.noteSent(call.text)
      return await client.query(...args)
    }
    // Who holds a connection waits for nobody who may need one: a text that is new is not analysed now.
    if (!shape || !state.isPlain) return await cache.pass(shape, { pass })
    return await cache.read(call, shape, { waits: false, pass, load: () => this.load(client, args) })
  }
}

/** The pool and its connections, called with whatever the caller gave. */
type Plain<T> = Omit<T, 'query' | 'connect'> & {
  query(...args: readonly unknown[]): Promise<unknown>
  connect(): Promise<PlainClient>
}
type PlainClient = PgPoolClient & {
  query(...args: readonly unknown[]): Promise<unknown>
  release(error?: unknown): void
}

function withoutCallback(args: readonly unknown[]): readonly unknown[] {
  return args.filter((arg) => typeof arg !== 'function')
}

/** The promise, or where the caller gave a callback, that. */
function answered({ callback }: QueryCall, result: Promise<unknown>): unknown {
  if (!callback) return result
  callbackify(() => result)(callback)
  return undefined
}
