/** The options of a feed, checked once at the door. */
import type { Bus } from '../../core/bus.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { type Duration, durationMs } from '../../core/duration.ts'
import { OptionError } from '../../core/errors.ts'
import { type Logger, silentLogger } from '../../core/logger.ts'
import type { Random } from '../../core/random.ts'
import { ROW_TAGS_MAX } from './changed-tags.ts'
import type { PgModule } from './client.ts'
import { parseTable, type TableName } from './tags.ts'

/** Options of `postgresFeed`. */
export interface PostgresFeedOptions {
  /** Where the database is: the primary itself, not a pooler, which cannot replicate. Default: `pg`'s variables, `PGHOST` and so on. */
  connectionString?: string
  /** What else `pg`'s Client takes: host, user, password, ssl and so on. */
  connection?: object
  /** `pg` or its class Client. Default: the package `pg`, loaded when the feed starts. */
  client?: PgModule
  /** The tables to tell about: `'orders'` of the schema public, `'shop.orders'`, or `{ schema, table }`. Partitions are included. */
  tables?: readonly (string | TableName)[]
  /**
   * The publication to read. With `tables` it is created, or given the tables that it lacks, if the role may; default
   * `'millpond'`. Without `tables` it must exist, and all its tables are told about.
   */
  publication?: string
  /**
   * `'replication'` (default) reads the log: rows, in commit order; needs `wal_level = logical`. `'triggers'` listens to
   * triggers (`notifyTriggersSql`): whole tables, on any server, at a cost to each writer.
   */
  mode?: 'replication' | 'triggers'
  /**
   * Default: a temporary slot, which ends with the connection and never holds log back afterwards. A name makes a slot
   * that is kept: a restart does not wait for open write transactions, but while nobody reads it the server keeps its
   * log, up to `max_slot_wal_keep_size`. One feed a name.
   */
  slot?: { readonly name: string }
  /**
   * A hit is served only if nothing visible this long ago is missing. Smaller: fresher hits, more heartbeats, more
   * misses when the server stalls. Default 250 ms.
   */
  maxStaleness?: Duration
  /** How often an idle feed proves that it is fresh: one small query. At most half of `maxStaleness`, default a quarter. */
  heartbeat?: Duration
  /**
   * A server that says nothing for so long is taken for lost (a connection half open), and the feed connects anew.
   * Hits stop long before, by `maxStaleness`. Default 10 s.
   */
  stallTimeout?: Duration
  /** More changed rows of one table in one commit are told as `table:*`. More: finer, and more memory. Default 1000. */
  rowTagsMax?: number
  /**
   * Which position proves freshness. `'flush'` is exact while writers commit synchronously. `'insert'` also covers
   * writers with `synchronous_commit = off`, at the price of some lag. Default: what the feed's own session is set to.
   */
  lsn?: 'flush' | 'insert'
  /**
   * Lets several processes share one slot: the one that feeds tells the others over the bus what it reads, and another takes
   * its place when it is gone. Each process makes the feed with the same options. Default: each has a slot of its own.
   */
  relay?: RelayOptions
  clock?: Clock
  logger?: Logger
  /** Spreads reconnecting feeds. Default `Math.random`. */
  random?: Random
}

/** How processes share a feeder. */
export interface RelayOptions {
  /** Reaches the other processes: `mesh.bus()`, or `valkeyBus` with its default mode. The feed does not close it. */
  readonly bus: Bus
  /** Several groups of processes on one bus and database have names of their own. Default: the publication's. */
  readonly name?: string
  /** Whether this process may become the one that feeds, which needs a role that may replicate. Default true. */
  readonly feeds?: boolean
}

export interface FeedSettings {
  readonly connection: object
  readonly client: PgModule | undefined
  readonly mode: 'replication' | 'triggers'
  readonly tables: readonly TableName[]
  readonly publication: string
  readonly slot: string | undefined
  readonly maxStalenessMs: number
  readonly heartbeatMs: number
  readonly stallTimeoutMs: number
  readonly rowTagsMax: number
  readonly lsn: 'flush' | 'insert' | undefined
  readonly relay: Required<RelayOptions> | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
}

/** Throws OptionError (`ERR_OPTION`) for what cannot work on any server. */
export function resolveOptions(options: PostgresFeedOptions): FeedSettings {
  const maxStalenessMs = durationMs(options.maxStaleness ?? 250, 'maxStaleness')
  const heartbeatMs = durationMs(options.heartbeat ?? maxStalenessMs / 4, 'heartbeat')
  if (heartbeatMs <= 0 || heartbeatMs > maxStalenessMs / 2) {
    throw new OptionError(
      'heartbeat',
      options.heartbeat ?? heartbeatMs,
      'give more than 0 and at most half of maxStaleness',
    )
  }
  return Object.freeze({
    connection: {
      ...options.connection,
      ...(options.connectionString !== undefined && { connectionString: options.connectionString }),
    },
    client: options.client,
    mode: oneOf(options.mode ?? 'replication', 'mode', ['replication', 'triggers']),
    tables: tablesOf(options),
    publication: options.publication ?? 'millpond',
    slot: slotOf(options),
    maxStalenessMs,
    heartbeatMs,
    stallTimeoutMs: durationMs(options.stallTimeout ?? '10s', 'stallTimeout'),
    rowTagsMax: atLeastOne(options.rowTagsMax ?? ROW_TAGS_MAX, 'rowTagsMax'),
    lsn: options.lsn && oneOf(options.lsn, 'lsn', ['flush', 'insert']),
    relay: relayOf(options),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    random: options.random ?? Math.random,
  })
}

function tablesOf(options: PostgresFeedOptions): TableName[] {
  const { tables = [], mode, publication } = options
  const needed = mode === 'triggers' || publication === undefined
  if (!Array.isArray(tables) || (tables.length === 0 && needed))
    throw new OptionError('tables', tables, "name the tables to tell about: tables: ['orders', 'shop.items']")
  return tables.map((table) => parseTable(table, 'tables'))
}

function slotOf({ slot, mode }: PostgresFeedOptions): string | undefined {
  if (slot === undefined) return undefined
  if (mode === 'triggers') throw new OptionError('slot', slot, "mode 'triggers' has no slot: leave it away")
  if (/^[a-z0-9_]{1,63}$/.test(slot.name)) return slot.name
  throw new OptionError('slot.name', slot.name, 'use lower case letters, digits and underscores, at most 63')
}

function relayOf({ relay, mode, publication = 'millpond' }: PostgresFeedOptions): Required<RelayOptions> | undefined {
  if (relay === undefined) return undefined
  if (mode === 'triggers') throw new OptionError('relay', relay, "mode 'triggers' needs no slot: leave it away")
  const { bus, name = publication, feeds = true } = relay
  if (typeof bus?.publish === 'function' && typeof bus.subscribe === 'function') return { bus, name, feeds }
  throw new OptionError('relay.bus', bus, "give a bus, such as mesh.bus() or valkeyBus of 'millpond/valkey'")
}

function oneOf<Choice extends string>(given: Choice, name: string, choices: readonly Choice[]): Choice {
  if (choices.includes(given)) return given
  throw new OptionError(name, given, `give one of ${choices.join(', ')}`)
}

function atLeastOne(count: number, name: string): number {
  if (Number.isInteger(count) && count >= 1) return count
  throw new OptionError(name, count, 'give a whole number of at least 1')
}
