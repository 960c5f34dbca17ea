/** Ways to be wrong about MongoDB, each of which the race has to find out. They stand between the library and what it is given. */
import type { Cache } from 'millpond'
import type { CachedCollectionOptions, MongoFeed } from 'millpond/mongodb'
import type { ChangeStream, Document, MongoClient } from 'mongodb'

export type Mutant =
  | 'no afterClusterTime'
  | 'no mark on loads under way'
  | 'a lost history is passed over'
  | 'a lost token is kept'
  | 'elections are not seen'

type AnswerCache = CachedCollectionOptions['cache']

let lastElected: string | undefined

/** The client as the feed sees it. */
export function clientOf(mutant: Mutant | undefined, client: MongoClient): MongoClient {
  if (mutant === 'elections are not seen')
    return withHello(client, ({ electionId, ...hello }) => {
      lastElected = String(electionId)
      return hello
    })
  if (mutant === 'a lost token is kept' || mutant === 'a lost history is passed over')
    return withStreams(client, mutant === 'a lost token is kept')
  return client
}

/** The feed as cached collections see it. */
export function feedOf(mutant: Mutant | undefined, feed: MongoFeed): MongoFeed {
  if (mutant === 'elections are not seen') {
    // Collections are of the feed's cluster, whatever it makes of elections.
    return override(feed, { status: () => ({ ...feed.status(), electionId: lastElected }) })
  }
  if (mutant !== 'no afterClusterTime') return feed
  return override(feed, { guard: () => feed.guard([]) })
}

/** The cache as cached collections see it. */
export function cacheOf(mutant: Mutant | undefined, cache: Cache, feed: MongoFeed): AnswerCache {
  return mutant === 'no mark on loads under way' ? new NaiveCache(feed) : cache
}

/** Forgets what is told, and keeps what was loaded, whatever was told meanwhile. */
class NaiveCache implements AnswerCache {
  private readonly entries = new Map<string, { readonly value: unknown; readonly tags: readonly string[] }>()
  private readonly feed: MongoFeed

  constructor(feed: MongoFeed) {
    this.feed = feed
    feed.subscribe({
      invalidate: (told) => {
        for (const [key, { tags }] of this.entries) if (tags.some((tag) => told.includes(tag))) this.entries.delete(key)
      },
      settle: () => {},
      reset: () => this.entries.clear(),
    })
  }

  getOrSet: AnswerCache['getOrSet'] = async (key, load, { tags: early, atLeast }) => {
    const { feed, entries } = this
    const isFresh = performance.now() - feed.freshAsOfMs() <= feed.maxStalenessMs
    const kept = entries.get(key) as { readonly value: Awaited<ReturnType<typeof load>> } | undefined
    if (kept && isFresh && (atLeast === undefined || feed.includes(atLeast))) return kept.value
    let tags: readonly string[] | undefined = early
    const ctx = {
      set: ({ tags: late }: { readonly tags: readonly string[] }) => {
        tags = [...early, ...late]
      },
      fromReplica: (value: Awaited<ReturnType<typeof load>>) => value,
      skip: (value: Awaited<ReturnType<typeof load>>) => {
        tags = undefined
        return value
      },
    }
    const value = await load(ctx)
    if (tags) entries.set(key, { value, tags })
    return value
  }
}

function withHello(client: MongoClient, change: (hello: Document) => Document): MongoClient {
  const command = async (what: Document) => change(await client.db('admin').command(what))
  return override(client, { db: (name?: string) => (name === 'admin' ? { command } : client.db(name)) })
}

/** Streams that make light of a history that was lost: by going on from now, or by asking for the same again. */
function withStreams(client: MongoClient, keepsToken: boolean): MongoClient {
  const collection = (name: string) => {
    const real = client.db().collection(name)
    return override(real, {
      watch: (pipeline: Document[], options: Document) => {
        const open = (given: Document) => real.watch(pipeline, given)
        const { resumeAfter: _one, startAfter: _other, startAtOperationTime: _time, ...fromNow } = options
        let stream: ChangeStream = open(options)
        return {
          get resumeToken() {
            return stream.resumeToken
          },
          async tryNext(): Promise<unknown> {
            try {
              return await stream.tryNext()
            } catch (error) {
              if ((error as { code?: number }).code !== 286) throw error
              if (keepsToken) throw new Error('try again', { cause: error })
              stream = open(fromNow)
              return await stream.tryNext()
            }
          },
          close: () => stream.close(),
        }
      },
    })
  }
  const db = (name?: string) =>
    name === undefined || name === 'shop' ? override(client.db(name), { collection }) : client.db(name)
  return override(client, { db })
}

/** The original with some names answered by something else; methods run on the original. */
function override<T extends object>(original: T, own: Record<string, unknown>): T {
  return new Proxy(original, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as string]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
