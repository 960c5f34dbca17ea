import type { Codec } from '../core/codec.ts'
import type { Duration } from '../core/duration.ts'
import type { DependentRows } from '../core/feed.ts'
import type { StandardSchema } from '../core/standard-schema.ts'
import type { DependencyOptions, EntryOptions, ReadOptions } from './options.ts'
import type { LoadContext } from './types.ts'
import type { WriteBehind } from './write-queue.ts'

/**
 * Options of `cache.define`: how values of one kind are loaded, written, named and kept. A `ttl` function is not asked
 * about `undefined`, which is kept for `negativeTtl`, or else 5 minutes.
 */
export interface SourceOptions<I, V> extends Omit<EntryOptions<V>, 'tags'>, Pick<DependencyOptions, 'tables'> {
  /** Names the kind: its keys are `name@version(...)`. Letters, digits, `.`, `_`, `-`. One source a name. */
  name: string
  /** Raise it when the shape of the values changes: old entries are then not found. Default 1. */
  version?: number | string
  /** What tells ids apart, without collisions. Default: the id itself; see `cacheKey` for what it may be. */
  key?: (id: I) => string
  /** Loads one value. `undefined`: there is none. */
  load?: (id: I, ctx: LoadContext<V | undefined>) => V | undefined | PromiseLike<V | undefined>
  /**
   * Loads several values, by id; an id that the map does not have is `undefined`. Without `load`, single gets come here
   * too, in batches. What it throws rejects exactly the reads of that batch.
   */
  loadMany?: (ids: readonly I[], ctx: BatchContext<I, V>) => ReadonlyMap<I, V> | PromiseLike<ReadonlyMap<I, V>>
  /** Writes one value. What it returns is not kept: where the database changes values itself, call `refresh` afterwards. */
  write?: (id: I, value: V) => unknown
  /** Writes several values with one call: all or, when it throws, none. Used for write-behind batches. */
  writeMany?: (entries: readonly (readonly [id: I, value: V])[]) => unknown
  /** Removes one value from the database; called by `delete`. */
  remove?: (id: I) => unknown
  /**
   * `'through'` (default): `set` resolves when the database has the value. `writeBehind(...)`: when the cache has it, and
   * its journal where there is one; the database gets it later, in batches, at least once, the newest of each key last.
   */
  writeMode?: 'through' | WriteBehind<I, V>
  batch?: BatchOptions
  /** Checks what is loaded (else `ValueError`) and what a store holds (else a miss). It must accept what it returns. Default: none. */
  schema?: StandardSchema<V>
  /** Keeps values of this source encoded, near tier included, and decodes them for each reader. Default: as the cache does. */
  codec?: Codec
  /** Labels to invalidate by, known before the load: an invalidation that comes during the load voids it. */
  tags?: readonly string[] | ((id: I) => readonly string[])
  /** Only changes of rows with these values, before or after, make the value old: see `DependencyOptions`. */
  rows?: readonly DependentRows[] | ((id: I) => readonly DependentRows[])
  /** More labels, which only the value tells. */
  tagsOf?: (value: V, id: I) => readonly string[]
}

/** How loads are collected for `loadMany`. */
export interface BatchOptions {
  /** Most ids of one call; more are split. Default 100. */
  maxSize?: number
  /** How long a load waits for others. Default: until everything that is ready to run has run (one tick). */
  delay?: Duration
}

/** What `loadMany` is given. */
export interface BatchContext<I, V> {
  /** Aborted when every load of the batch is: by `hardTimeout`, or because nobody waits any more. */
  readonly signal: AbortSignal
  /** Options of one id's entry that only the value tells. */
  set(id: I, options: EntryOptions<V | undefined>): void
}

/** Values of one kind, read through the cache and written through or behind it. */
export interface Source<I, V> {
  readonly name: string
  /** The value, loaded if need be; `undefined` when there is none. */
  get(id: I, options?: SourceReadOptions): Promise<V | undefined>
  /** The values in the order of `ids`, which may repeat. */
  getMany(ids: readonly I[], options?: SourceReadOptions): Promise<(V | undefined)[]>
  /** The fresh value, if the near tier has it. Leaves no trace. */
  peek(id: I): V | undefined
  /** Writes a value to the database, as `writeMode` says, and keeps it. The value must not be changed afterwards. */
  set(id: I, value: V): Promise<void>
  /**
   * Writes what `change` makes of the value as `get` gives it; `undefined` deletes. Writes of one id in this process come
   * one after the other; where other processes write too, change the row in a database transaction instead.
   */
  update(id: I, change: (value: V | undefined) => V | undefined | PromiseLike<V | undefined>): Promise<V | undefined>
  /** Removes the value from the database through `remove`, where that is given, and forgets it everywhere. */
  delete(id: I): Promise<void>
  /** Loads now, keeps what came, and returns it. */
  refresh(id: I): Promise<V | undefined>
  /** Makes the kept value stale: the next read renews it. */
  expire(id: I): Promise<void>
  /** The key of an id in the cache. */
  key(id: I): string
  /**
   * Writes behind what waits, now, and resolves when it is written. Rejects with `WriteBehindError` when some of it could
   * not be written; that stays queued and is tried again.
   */
  flush(): Promise<void>
}

/** Options of one read from a source. */
export interface SourceReadOptions extends ReadOptions {
  /** Ends this caller's wait with the signal's reason. */
  signal?: AbortSignal
}
