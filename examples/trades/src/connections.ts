/** The way to the database: `pg`'s pool as it is, or the same pool with Millpond around it. This is all that the cache changes. */
import { type Cache, createCache } from 'millpond'
import { type CachedPool, cachePool, postgresFeed } from 'millpond/postgres'
import pg from 'pg'
import { texts } from './trades.ts'

export interface Connections {
  /** What the app asks. */
  readonly pool: pg.Pool
  /** Without a cache: undefined. */
  readonly cached: { readonly cache: Cache; readonly pool: CachedPool } | undefined
  /** How many of the app's own queries reached the database, writes included. */
  queries(): number
  close(): Promise<void>
}

export function plainConnections(connectionString: string): Connections {
  const { pool, queries } = countedPool(connectionString)
  return { pool, cached: undefined, queries, close: () => pool.end() }
}

/** Throws with what to change where the database cannot feed the cache. */
export async function cachedConnections(connectionString: string, maxStaleness: number): Promise<Connections> {
  const { pool: plain, queries } = countedPool(connectionString)
  const feed = postgresFeed({ connectionString, tables: ['trades'], maxStaleness })
  const cache = createCache({ name: 'trades', feed })
  const close = async (): Promise<void> => {
    await cache.close()
    await plain.end()
  }
  try {
    await feed.ready()
  } catch (error) {
    await close()
    throw error
  }
  const pool = cachePool(plain, { cache, feed })
  return { pool, cached: { cache, pool }, queries, close }
}

/** Counts at the connections themselves, below any cache. What the cache asks of the catalog is not the app's. */
function countedPool(connectionString: string): Pick<Connections, 'pool' | 'queries'> {
  let count = 0
  const pool = new pg.Pool({ connectionString })
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown
    const counted = (...args: unknown[]): unknown => {
      const [first] = args
      if (texts.has(typeof first === 'string' ? first : (first as { text: string }).text)) count++
      return query(...args)
    }
    client.query = counted as typeof client.query
  })
  // An idle connection that breaks is replaced by the next query, which reports what is wrong.
  pool.on('error', () => {})
  return { pool, queries: () => count }
}
