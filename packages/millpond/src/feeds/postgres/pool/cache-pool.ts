import type { Clock } from '../../../core/clock.ts'
import type { Duration } from '../../../core/duration.ts'
import { OptionError } from '../../../core/errors.ts'
import type { Logger } from '../../../core/logger.ts'
import { facadeOf } from '../../facade.ts'
import type { ReadMode } from '../../read-mode.ts'
import type { PostgresFeed } from '../feed.ts'
import type { AuditOptions } from './auditor.ts'
import type { Explanation } from './explanation.ts'
import type { SqlParser } from './parser.ts'
import type { PgPool } from './pg-pool.ts'
import type { PoolEmitter } from './pool-events.ts'
import { PoolQueries } from './pool-queries.ts'
import type { PoolStatus } from './pool-status.ts'
import type { QueryCacheStore } from './query-cache.ts'

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
  /**
   * Asks the database again for a sample of the hits, behind the readers, and counts how many were fresh: `status().audit`, the event
   * `audit`. Default: nothing is asked again.
   */
  readonly audit?: AuditOptions
  /** Told of stale answers that the auditor has found. Default: silent. */
  readonly logger?: Logger
  readonly clock?: Clock
}

/** What a cached pool can do besides. */
export interface CachedPool {
  /** Whether a query is cached; why not, in words; and which rows its answer depends on. */
  explain(sql: string): Promise<Explanation>
  /** How it is doing: what was answered from the cache, what was not and why, and where the feed stands. */
  status(): PoolStatus
  /** Listens to what happens to queries: `pool.events.on('pass', ({ text, reason }) => ...)`. Returns what stops it. */
  readonly events: Pick<PoolEmitter, 'on'>
}

/**
 * A pool of `pg` that answers SELECTs from the cache. It is used like the pool itself: `query`, `connect`, events; whatever
 * it does not know it leaves to the pool. No query is changed, and none is cached of which it is not known what
 * makes its answer old: `explain` says why.
 *
 * Within a transaction everything goes to the database. Rows that are handed out are the caller's own, with all that is inside
 * of them. A query can say how fresh it has to be: `{ text, read: 'strict' }`.
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
    status: () => queries.status(),
    events: queries.events,
  }) as P & CachedPool
}
