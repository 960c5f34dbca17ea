import type { Clock } from '../core/clock.ts'
import type { Codec } from '../core/codec.ts'
import type { Logger } from '../core/logger.ts'
import type { Random } from '../core/random.ts'
import type { CacheEvents } from './events.ts'
import type { EntryOptions, GetOrSetOptions } from './options.ts'
import type { Cache, Loader } from './types.ts'

/** What the parts of a cache (sources, wrappers, journals) may use of it beyond its public face. */
export interface CacheHost extends Cache {
  readonly clock: Clock
  readonly codec: Codec
  readonly logger: Logger
  readonly random: Random
  emit<Name extends keyof CacheEvents>(name: Name, event: CacheEvents[Name]): void
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
   * `mutate` of one key, for a write whose value is known: voids the key, runs `write`, keeps what it resolves to, tells
   * the peers. Nothing is kept, and the key is voided, when anything else voided it or one of its tags in between: the
   * database may have a newer value then.
   */
  writeThrough<V>(key: string, write: () => PromiseLike<V>, options?: EntryOptions<V>): Promise<V>
}
