import type { Clock } from '../core/clock.ts'
import type { Codec } from '../core/codec.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { CacheEvents } from './events.ts'
import type { DependencyOptions, EntryOptions, GetOrSetOptions } from './options.ts'
import type { Cache, Loader } from './types.ts'

/** What the parts of a cache (sources, wrappers, journals) may use of it beyond its public face. */
export interface CacheHost extends Cache {
  readonly clock: Clock
  readonly codec: Codec
  readonly logger: Logger
  readonly random: Random
  emit<Name extends keyof CacheEvents>(name: Name, event: CacheEvents[Name]): void
  /** The tags by which the feed tells of tables and rows, where they are given. */
  dependentTags(dependencies: DependencyOptions): readonly string[] | undefined
  /** Work that `close()` waits for. */
  track<T>(work: Promise<T>): Promise<T>
  /** `run` is called by `close()`, before the tiers close: it may still read and write. */
  onClose(run: () => Promise<void>): void
  /**
   * Loads now, whatever is kept: a load that began before this call is not joined. The old value goes on being served
   * until the new one replaces it, and stays when the load fails; the failure is thrown, never answered by a stale value.
   */
  refresh<V>(key: string, load: Loader<V>, options?: GetOrSetOptions<V>): Promise<V>
  /**
   * `mutate` of keys whose new values are known: voids the keys, runs `write`, keeps the values, tells the peers. A value
   * is not kept, and its key is voided again, when anything else voided the key or one of its tags since before `write`
   * began: the database may have a newer value then. When `write` fails, nothing is kept and its error is thrown.
   */
  writeThrough<V>(entries: readonly WriteEntry<V>[], write: () => unknown): Promise<void>
}

/** A value that `writeThrough` keeps once it is written. */
export interface WriteEntry<V> {
  readonly key: string
  readonly value: V
  readonly options: EntryOptions<V>
}
