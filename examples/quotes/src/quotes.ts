/** Quotes of shares, a list in the document of each symbol: the question that is worth caching, and who keeps its answer. */
import { createCache } from 'millpond'
import { cachedCollection, mongoFeed } from 'millpond/mongodb'
import type { Collection, MongoClient } from 'mongodb'

export interface Quote {
  readonly code: string
  readonly price: number
}

export interface Share {
  readonly _id: string
  readonly symbol: string
  readonly quotes: Quote[]
}

/** All quotes of one symbol and code. Nothing in it knows of a cache. */
export async function quotesOf(shares: Collection<Share>, symbol: string, code: string): Promise<Quote[]> {
  const found = await shares
    .aggregate<{ quotes: Quote[] }>([
      { $unwind: '$quotes' },
      { $match: { symbol, 'quotes.code': code } },
      { $group: { _id: '$symbol', quotes: { $push: '$quotes' } } },
    ])
    .toArray()
  return found[0]?.quotes ?? []
}

/** The same collection, with a cache in front of it that is told of every change. */
export interface CachedShares extends AsyncDisposable {
  readonly shares: Collection<Share>
  /** Resolves once everything that was written until now has been told. */
  caughtUp(): Promise<void>
}

export async function cacheShares(client: MongoClient): Promise<CachedShares> {
  // Quotes of five seconds ago will do where nothing newer can be proven; where it can, which is nearly always, they are of now.
  const feed = mongoFeed({ client, collections: ['shares'], maxStaleness: '5s', heartbeat: '100ms' })
  const cache = createCache({ name: 'quotes', feed })
  await feed.ready()
  return {
    shares: cachedCollection(client.db().collection<Share>('shares'), { cache, feed }),
    async caughtUp() {
      await feed.reached(await feed.now(), 10_000)
    },
    async [Symbol.asyncDispose]() {
      await cache.close()
      await feed.close()
    },
  }
}
