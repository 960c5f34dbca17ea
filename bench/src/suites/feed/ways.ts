/** The ways to read a row that are compared: each is opened in a process of its own. */

import { createCache } from 'millpond'
import { cachePool, postgresFeed } from 'millpond/postgres'
import pg from 'pg'
import { QUERY } from './table.ts'

/** One way to read the version of a row. */
export interface Way {
  read(id: number): Promise<number>
  close(): Promise<void>
}

/** What is kept by time only is kept for so long. */
export const TTL_MS = 1000
const CONNECTIONS = 8

type Open = (url: string) => Promise<Way>

interface Item {
  readonly version: number
}

export const ways: Readonly<Record<string, Open>> = {
  async database(url) {
    const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS })
    return {
      read: async (id) => (await pool.query<Item>(QUERY, [id])).rows[0]!.version,
      close: () => pool.end(),
    }
  },

  async 'TTL only'(url) {
    const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS })
    const cache = createCache({ ttl: TTL_MS })
    const load = async (id: number): Promise<Item> => (await pool.query<Item>(QUERY, [id])).rows[0]!
    return {
      read: async (id) => (await cache.getOrSet(`item:${id}`, () => load(id))).version,
      close: async () => {
        await cache.close()
        await pool.end()
      },
    }
  },

  async 'getOrSet, bounded'(url) {
    const { pool, feed, cache, close } = await fed(url)
    const load = async (id: number): Promise<Item> => (await pool.query<Item>(QUERY, [id])).rows[0]!
    await feed.ready()
    return {
      read: async (id) => (await cache.getOrSet(`item:${id}`, () => load(id), { tags: [`items:${id}`] })).version,
      close,
    }
  },

  async 'getOrSet, strict'(url) {
    const { pool, feed, cache, close } = await fed(url)
    const load = async (id: number): Promise<Item> => (await pool.query<Item>(QUERY, [id])).rows[0]!
    await feed.ready()
    return {
      async read(id) {
        const atLeast = await feed.now()
        if (!feed.includes(atLeast)) await feed.reached(atLeast, 50)
        const options = { tags: [`items:${id}`], atLeast }
        return (await cache.getOrSet(`item:${id}`, () => load(id), options)).version
      },
      close,
    }
  },

  'pool, bounded': (url) => cachedPool(url, 'bounded'),
  'pool, strict': (url) => cachedPool(url, 'strict'),
}

async function fed(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS })
  const feed = postgresFeed({ connectionString: url, tables: ['items'] })
  const cache = createCache({ feed, ttl: 'forever' })
  await feed.ready()
  const close = async (): Promise<void> => {
    await cache.close()
    await pool.end()
  }
  return { pool, feed, cache, close }
}

async function cachedPool(url: string, read: 'bounded' | 'strict'): Promise<Way> {
  const { pool, feed, cache, close } = await fed(url)
  const cached = cachePool(pool, { cache, feed, read })
  return {
    read: async (id) => (await cached.query<Item>(QUERY, [id])).rows[0]!.version,
    close,
  }
}
