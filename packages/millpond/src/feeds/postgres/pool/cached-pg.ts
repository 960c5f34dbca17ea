/** The module `pg` with cached pools and clients, for libraries that take the driver and make their connections themselves. */

import { facadeOf } from '../../facade.ts'
import type { Queryable } from '../client.ts'
import { type CachePoolOptions, cachePool } from './cache-pool.ts'
import type { PgPool } from './pg-pool.ts'
import { type PlainClient, PoolQueries } from './pool-queries.ts'

/** The slice of `pg` that is needed. */
export interface PgClasses {
  readonly Pool: Class<PgPool>
  readonly Client: Class<Queryable>
}

// biome-ignore lint/suspicious/noExplicitAny: what is extended has to take any arguments
type Class<T> = new (...args: any[]) => T & object

export interface CachedPgOptions extends CachePoolOptions {
  /** For what the cache itself asks: the catalog. Its connections have the role and settings of the others. */
  readonly pool: PgPool
}

/**
 * `pg` with classes `Pool` and `Client` that answer SELECTs from the cache, as `cachePool` does. TypeORM takes it as
 * `driver`; Knex by a class of its own: `class Cached extends knex.Client { _driver() { return cachedPg(pg, ...) } }`.
 *
 * @throws OptionError (`ERR_OPTION`) for options that cannot work
 */
export function cachedPg<D extends PgClasses>(pg: D, { pool, ...options }: CachedPgOptions): D {
  const queries = new PoolQueries(pool, options)
  class Pool extends pg.Pool {
    // biome-ignore lint/suspicious/noExplicitAny: passed on
    constructor(...args: any[]) {
      super(...args)
      // biome-ignore lint/correctness/noConstructorReturn: used through its cached form
      return cachePool(this, options)
    }
  }
  class Client extends pg.Client {
    /** Itself, without the cache. */
    private plain: PlainClient | undefined

    override query(...args: unknown[]): never {
      this.plain ??= facadeOf(this, { query: super.query.bind(this) }) as unknown as PlainClient
      return queries.queryOn(this.plain, args) as never
    }
  }
  return facadeOf(pg, { Pool, Client })
}
