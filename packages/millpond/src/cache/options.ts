import type { Bus } from '../core/bus.ts'
import type { Clock } from '../core/clock.ts'
import type { Codec } from '../core/codec.ts'
import type { Duration } from '../core/duration.ts'
import type { Dependencies, DependentRows, Feed, Position } from '../core/feed.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { Size } from '../core/size.ts'
import type { Store } from '../core/store.ts'
import type { MemoryBudget } from '../memory/memory-budget.ts'
import type { PolicyFactory } from '../memory/policy.ts'

/** Options of an entry. What is not given comes from the cache's own options, then from the default named here. */
export interface EntryOptions<V = unknown> {
  /**
   * How long a value is fresh. Longer: fewer loads, older values. `'forever'` ends only by invalidation or eviction;
   * 0 is refused (to not keep a value, call `ctx.skip`). A function is given the loaded value. Default `'5m'`.
   */
  ttl?: Duration | 'forever' | ((value: V) => Duration | 'forever')
  /** Ends a value that was not read for so long; `ttl` still is the cap. Default: off. */
  idle?: Duration
  /** Shortens each `ttl` by a random share of up to this, so that entries made together do not end together. 0 to 1, default 0. */
  jitter?: number
  /** How long after `ttl` a stale value may still be served while one load in the background renews it. Default 0. */
  staleWhileRevalidate?: Duration
  /** How long after `ttl` a stale value may still be served when loading fails. Default 0. */
  staleIfError?: Duration
  /** Renews in the background once this share of `ttl` has passed and someone reads. 0 to 1, for example 0.8. Default: off. */
  refreshAhead?: number
  /**
   * Renews in the background at random, more likely near the end of `ttl` and for values that are slow to load: XFetch
   * (Vattani et al., VLDB 2015). 1 is the paper's choice; higher renews earlier. Default: off.
   */
  earlyExpiration?: number
  /** A reader that has a stale value waits no longer than this for a load, then gets the stale value; the load goes on. Default: off. */
  softTimeout?: Duration
  /** A load that takes longer fails with `LoadTimeoutError` and its `signal` is aborted. Default: off. */
  hardTimeout?: Duration
  /**
   * Who loads once for all who ask meanwhile. `process` (default): each process by itself. `store`: of all processes that
   * share the store one loads; the others wait for what it stores, for one load and no longer than their `hardTimeout`.
   */
  lock?: 'process' | 'store'
  /** `ttl` for `undefined` and `null`: what does not exist may begin to exist at any time. Default: as `ttl`. */
  negativeTtl?: Duration
  /** Labels to invalidate by. A loader that knows them only from the value calls `ctx.set({ tags })`. */
  tags?: readonly string[]
  /** What the entry counts against `maxWeight`, in bytes. Default: an estimate of key and value. */
  weight?: number
}

/** Options of one read. */
export interface ReadOptions {
  /**
   * The reader carries the position of a write: nothing older is served. Needs a `feed` that covers the entry's tags;
   * what it does not cover is loaded.
   */
  atLeast?: Position
}

/** What a load reads, for a cache whose feed can tell of it (`millpond/postgres`). An unknown table is refused with `OptionError`. */
export interface DependencyOptions extends Dependencies {
  /** Any change of one of these tables, by anyone, makes the value old; `'*'`: any change that the feed tells of. */
  readonly tables?: readonly string[]
  /** Only changes of rows with these values, before or after, make it old: `[{ table: 'orders', where: { tenant: 7 } }]`. */
  readonly rows?: readonly DependentRows[]
}

/** Options of `getOrSet`. */
export interface GetOrSetOptions<V = unknown> extends EntryOptions<V>, ReadOptions, DependencyOptions {
  /** Ends this caller's wait with the signal's reason. The load goes on for others, and is aborted when nobody waits. */
  signal?: AbortSignal
}

/** Options of `createCache`; the entry options are the defaults of every entry. */
export interface CacheOptions extends EntryOptions {
  /** Part of every stored key and bus message: caches of one name share a store. Letters, digits, `.`, `_`, `-`. Default `'cache'`. */
  name?: string
  /** The near tier, or `false` for none. */
  memory?: MemoryOptions | false
  /** A shared tier behind the near one. */
  store?: Store
  /** How long a store may take for one call before the cache goes on without it. Default 50 ms. */
  storeTimeout?: Duration
  /**
   * How long an invalidation forbids fills by loads that began before it. A load that takes longer than half of this is
   * handed to its caller but not put in the store. At least four times `storeTimeout`. Default 10 s.
   */
  fence?: Duration
  /**
   * With `lock: 'store'`, how long the others wait for a process that died while it loaded. A living one renews it each
   * third. At least four times `storeTimeout`. Default 3 s.
   */
  lease?: Duration
  /** Tells the caches of other processes. */
  bus?: Bus
  /** The database's own news: entries tagged with its tables are fresh within its bound, whoever writes. */
  feed?: Feed
  /**
   * What keeps a reader from changing the cache's value. `freeze` (default): values are deeply frozen when they enter;
   * bytes, which cannot be frozen, are copied for each reader. `clone`: each reader gets a copy. `serialize`: kept
   * encoded, decoded for each reader. `reference`: nothing; the fastest to fill, and the callers must not change values.
   */
  copy?: 'freeze' | 'clone' | 'serialize' | 'reference'
  /** How values become text for `copy: 'serialize'` and for stores. Default: JSON that also keeps Date, Map, Set, BigInt, bytes, undefined. */
  codec?: Codec
  /** `false` makes a cache that keeps nothing and always loads: to switch caching off by configuration. Default true. */
  enabled?: boolean
  /** Called with each promise of background work: pass a serverless platform's `waitUntil`. */
  waitUntil?: (work: Promise<unknown>) => void
  logger?: Logger
  /** Default: the machine's clock. */
  clock?: Clock
  /** Where jitter and early expiration draw from. Default `Math.random`. */
  random?: Random
}

/** How large the near tier may become, and what leaves when it is full. */
export interface MemoryOptions {
  /** More entries: more hits, more memory. Default 10,000, or no bound where `maxWeight` or `budget` is given. */
  maxEntries?: number
  /** Bound in bytes, as the weigher counts them. Default: none. */
  maxWeight?: Size
  /** Bytes of an entry. Default: an estimate for strings, bytes, arrays and plain objects. */
  weigher?: (key: string, value: unknown) => number
  /** What leaves when the tier is full. Default: the TinyLFU family of `millpond/memory`. */
  policy?: PolicyFactory
  /**
   * Room that several caches share: together they never weigh more, and it shifts to where it earns hits. Weights count
   * then, as with `maxWeight`. Default: none.
   */
  budget?: MemoryBudget
}
