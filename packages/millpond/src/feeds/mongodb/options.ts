/** The options of a feed of MongoDB, checked once at the door. */
import { type Clock, systemClock } from '../../core/clock.ts'
import { type Duration, durationMs } from '../../core/duration.ts'
import { OptionError } from '../../core/errors.ts'
import { type Logger, silentLogger } from '../../core/logger.ts'
import type { Random } from '../../core/random.ts'
import { clientFor, clientIn, type MongoClient } from './client.ts'
import { Scope } from './scope.ts'
import type { CollectionName } from './tags.ts'

/** Options of `mongoFeed`. */
export interface MongoFeedOptions {
  /** A MongoClient of the package `mongodb` (7), shared with the application. Either this or `url`. */
  client?: object
  /** Where the replica set or sharded cluster is. The package `mongodb` is loaded when the feed starts; the client is the feed's own. */
  url?: string
  /** The database whose collections have tags without its name. Default: the one that the client or the URL names. */
  database?: string
  /** The collections to tell about: `'orders'` of `database`, or `{ database, collection }`. Default: all of `databases`. */
  collections?: readonly (string | CollectionName)[]
  /** Databases to tell about whole. Default: `database`, where no `collections` are given. */
  databases?: readonly string[]
  /**
   * A hit is served only if nothing visible this long ago is missing. Smaller: fresher hits, more heartbeats, more
   * misses when the server stalls. Default 250 ms.
   */
  maxStaleness?: Duration
  /**
   * How often an idle feed proves that it is fresh: one `hello`, and one request of the stream. At most half of
   * `maxStaleness`, default a quarter.
   */
  heartbeat?: Duration
  /** A server that says nothing for so long is taken for lost (a connection half open). Hits stop long before. Default 10 s. */
  stallTimeout?: Duration
  clock?: Clock
  logger?: Logger
  /** Spreads reconnecting feeds. Default `Math.random`. */
  random?: Random
}

export interface MongoFeedSettings {
  /** The client that the feed reads by. */
  readonly connect: () => Promise<MongoClient>
  /** Whether the client is the feed's, to be closed with it. */
  readonly ownsClient: boolean
  readonly scope: Scope
  readonly maxStalenessMs: number
  readonly heartbeatMs: number
  readonly stallTimeoutMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
}

/** Throws OptionError (`ERR_OPTION`) for what cannot work on any server. */
export function resolveOptions(options: MongoFeedOptions): MongoFeedSettings {
  const maxStalenessMs = durationMs(options.maxStaleness ?? 250, 'maxStaleness')
  const heartbeatMs = durationMs(options.heartbeat ?? maxStalenessMs / 4, 'heartbeat')
  if (heartbeatMs <= 0 || heartbeatMs > maxStalenessMs / 2)
    throw new OptionError('heartbeat', heartbeatMs, 'give more than 0 and at most half of maxStaleness')
  const { connect, home } = placeOf(options)
  return Object.freeze({
    connect,
    ownsClient: options.client === undefined,
    scope: scopeOf(options, options.database ?? home),
    maxStalenessMs,
    heartbeatMs,
    stallTimeoutMs: durationMs(options.stallTimeout ?? '10s', 'stallTimeout'),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    random: options.random ?? Math.random,
  })
}

function placeOf({ client, url }: MongoFeedOptions): { connect: () => Promise<MongoClient>; home: string } {
  if ((client === undefined) === (url === undefined))
    throw new OptionError('client', client, 'give either client or url')
  if (url === undefined) {
    const passed = clientIn(client)
    return { connect: () => Promise.resolve(passed), home: passed.db().databaseName }
  }
  const match = /^mongodb(?:\+srv)?:\/\/[^/]+(?:\/([^?]*))?/.exec(url)
  if (!match) throw new OptionError('url', 'a text that is no address', "give a URL that begins with 'mongodb://'")
  return { connect: () => clientFor(url), home: decodeURIComponent(match[1] ?? '') || 'test' }
}

function scopeOf({ collections = [], databases }: MongoFeedOptions, home: string): Scope {
  const names = collections.map((given) => (typeof given === 'string' ? { database: home, collection: given } : given))
  const wrong = names.find(({ database, collection }) => !database || !collection)
  if (wrong !== undefined) throw new OptionError('collections', wrong, "write 'orders', or { database, collection }")
  return new Scope({ home, collections: names, databases: databases ?? (names.length === 0 ? [home] : []) })
}
