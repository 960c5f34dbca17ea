// AsyncDisposable, for projects whose `lib` ends at es2022: the line is kept in the published declarations.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Duration } from '../core/duration.ts'
import type { CacheEvents } from './events.ts'
import type { Invalidations } from './invalidations.ts'
import type { DependencyOptions, EntryOptions, GetOrSetOptions, ReadOptions } from './options.ts'
import type { Source, SourceOptions } from './source.ts'
import type { CacheStats } from './stats.ts'
import type { WrapOptions, Wrapped } from './wrap.ts'

/** Produces the value of a key, from the database as a rule. What it throws reaches every caller that waits, as it is. */
export type Loader<V> = (ctx: LoadContext<V>) => V | PromiseLike<V>

/** What a loader is given. */
export interface LoadContext<V> {
  readonly key: string
  /** Aborted when the load passes `hardTimeout`, or when nobody waits for it any more. */
  readonly signal: AbortSignal
  /** True when nobody waits: a renewal of a value that is still being served. */
  readonly background: boolean
  /** The value that was kept until now, if any: stale, or about to be. */
  readonly stale: V | undefined
  /** Options of this entry that only the value tells, such as `{ ttl, tags }`. They replace those of the call; tags are added. */
  set(options: EntryOptions<V>): void
  /** Reads the etag that came with the stale value; with an argument, sets the one to keep. */
  etag(value?: string): string | undefined
  /** Return this to keep the stale value and give it a new life (HTTP 304). Throws `ValueError` when there is none. */
  notModified(): V
  /** Return this to hand a value to the callers and keep nothing. */
  skip(value: V): V
  /**
   * Return this to keep a value that was read from a replica, which may be older than the load. It counts as fresh only as
   * far as the feed proves it, not from the load on. The replica must have all that the feed had told when the load began.
   */
  fromReplica(value: V): V
}

/** Produces the values of several keys at once. A key that the map does not have is `undefined`. */
export type ManyLoader<V> = (
  keys: readonly string[],
  ctx: ManyLoadContext<V>,
) => ReadonlyMap<string, V> | PromiseLike<ReadonlyMap<string, V>>

/** What a loader of several keys is given. */
export interface ManyLoadContext<V> {
  /** Aborted when the load passes `hardTimeout`. */
  readonly signal: AbortSignal
  /** Options of one key's entry that only the value tells. */
  set(key: string, options: EntryOptions<V>): void
}

/** An entry with what is known about it. */
export interface EntryView<V> {
  readonly value: V
  readonly state: 'fresh' | 'stale'
  readonly tags: readonly string[]
  /** Milliseconds until it is stale; Infinity for `'forever'`; negative when it is stale. */
  readonly ttlMs: number
  /** Milliseconds since its load began, or since it was set; of one that only a store has: 0. */
  readonly ageMs: number
  readonly etag: string | undefined
}

/**
 * What every cache can do: the small one of `millpond/core`, which has the near tier only, and `Cache`. A namespace of a
 * cache has the same methods over keys of its own.
 *
 * Reads resolve to `undefined` for what is not there; use `getEntry` to tell an absent key from a value `undefined`.
 * No method rejects because a store or bus failed; what a loader throws, `getOrSet` rejects with.
 */
export interface NearCache extends AsyncDisposable {
  readonly name: string
  /** The value, or what `load` returns: kept, and loaded once for all who ask meanwhile. */
  getOrSet<V>(key: string, load: Loader<V>, options?: Omit<GetOrSetOptions<V>, keyof DependencyOptions>): Promise<V>
  /** The fresh value, from the near tier or the store. */
  get<V>(key: string, options?: ReadOptions): Promise<V | undefined>
  /** The fresh value if the near tier has it. */
  getSync<V>(key: string, options?: ReadOptions): V | undefined
  /** Like `getSync`, but leaves no trace: not counted, and no use in the eyes of eviction or `idle`. */
  peek<V>(key: string): V | undefined
  /** The fresh values of several keys; absent ones are left out. One round trip to the store. */
  getMany<V>(keys: readonly string[], options?: ReadOptions): Promise<Map<string, V>>
  /** Whether a fresh value is there, in the near tier or the store. */
  has(key: string): Promise<boolean>
  /** Keeps a value. A load of the key that is under way hands its value to its callers and is not kept. */
  set<V>(key: string, value: V, options?: EntryOptions<V>): Promise<void>
  /** Like `set` for each of the entries. */
  setMany<V>(entries: Iterable<readonly [key: string, value: V]>, options?: EntryOptions<V>): Promise<void>
  /** Forgets keys everywhere: near tier, store, other processes. Loads under way are not kept. */
  delete(key: string | readonly string[]): Promise<void>
  /** Makes keys stale: the next read renews them, and may be served the old value meanwhile where the options allow it. */
  expire(key: string | readonly string[]): Promise<void>
  /** Like `delete` for all entries that carry one of the tags. Costs the same for one entry and for a million. */
  deleteByTag(tag: string | readonly string[]): Promise<void>
  /** Like `expire` for all entries that carry one of the tags. */
  expireByTag(tag: string | readonly string[]): Promise<void>
  /** Forgets every entry of this cache, or of this namespace and those inside it. */
  clear(): Promise<void>
  /** Keys of its own, inside this cache: same memory, own `clear`. Names: letters, digits, `.`, `_`, `-`. */
  namespace(name: string): NearCache
  /**
   * Write-through done right: voids the keys and tags, runs `write` (commit inside it), voids them again, tells the
   * peers. Correct too when a load runs beside it, when `write` fails, and when the process dies in between.
   */
  mutate<R>(
    targets: { keys?: readonly string[]; tags?: readonly string[] },
    write: () => R | PromiseLike<R>,
  ): Promise<R>
  /** What was counted since the cache was made, at this moment. */
  stats(): CacheStats
  /** Calls `listen` on each event of that name. Returns what stops it. A listener that throws is reported to the logger. */
  on<Name extends keyof CacheEvents>(name: Name, listen: (event: CacheEvents[Name]) => void): () => void
  /**
   * Waits for background work and flushes write-behind, for `timeout` (default 10 s) at most; rejects with `ClosedError` when
   * writes were not delivered by then. Reads and writes after it reject with `ClosedError`. Safe to call twice.
   */
  close(options?: { timeout?: Duration }): Promise<void>
}

/** A cache, or a namespace of one: with shared tiers, sources, wrappers and the request tier. */
export interface Cache extends NearCache {
  getOrSet<V>(key: string, load: Loader<V>, options?: GetOrSetOptions<V>): Promise<V>
  /** The values of several keys; `load` is called once with those that are missing. In the order of `keys`. */
  getOrSetMany<V>(keys: readonly string[], load: ManyLoader<V>, options?: GetOrSetOptions<V>): Promise<Map<string, V>>
  /** The entry, stale ones included, from the near tier or the store. */
  getEntry<V>(key: string): Promise<EntryView<V> | undefined>
  /**
   * Replaces the value by what `change` makes of it; nothing can come between. Updates of one key in this process run
   * one after the other. `undefined` is given for an absent key; returning `undefined` deletes.
   */
  update<V>(
    key: string,
    change: (value: V | undefined) => V | undefined | PromiseLike<V | undefined>,
    options?: EntryOptions<V>,
  ): Promise<V | undefined>
  namespace(name: string): Cache
  /** A function with the same signature that reads through the cache. */
  wrap<A extends readonly unknown[], V>(
    fn: (...args: A) => V | PromiseLike<V>,
    options: WrapOptions<A, V>,
  ): Wrapped<A, V>
  /** A typed source: read-through, batching, write-through and write-behind for one kind of value. */
  define<I, V>(options: SourceOptions<I, V>): Source<I, V>
  /** Collects invalidations during a transaction: `flush` them after COMMIT, `drop` them on ROLLBACK. */
  invalidations(): Invalidations
  /** Runs `fn` with a request memo: inside it, and in what it awaits, `getOrSet` reads each key at most once. */
  request<R>(fn: () => R): R
}
