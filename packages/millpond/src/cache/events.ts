import type { StoreError } from '../core/errors.ts'
import type { RemovalReason } from '../memory/policy.ts'

/** Where a value came from. */
export type Tier = 'near' | 'store'

/** What `cache.on` tells, by name. Values are never part of an event. */
export interface CacheEvents {
  hit: { key: string; tier: Tier; stale: boolean }
  miss: { key: string }
  /** A load ended well. `stored` is false when its lease was void, when it was skipped, or when the cache is disabled. */
  load: { key: string; durationMs: number; background: boolean; stored: boolean }
  loadError: { key: string; error: unknown; background: boolean }
  set: { key: string }
  /** By key, tag or feed; on this process's account or another's. */
  invalidate: { keys?: readonly string[]; tags?: readonly string[]; origin: 'local' | 'bus' | 'feed' }
  clear: { origin: 'local' | 'bus' }
  /** An entry left the near tier. */
  remove: { key: string; reason: RemovalReason }
  storeError: { operation: string; error: StoreError }
  /** The breaker around the store opened (calls are not tried) or closed again. */
  storeState: { state: 'open' | 'closed' }
  busGap: Record<never, never>
  busError: { error: unknown }
  /** The feed began a new epoch: entries of its source were dropped. */
  feedReset: { reason: string }
  /** A value from a store could not be decoded, or did not pass its schema: counted as a miss. */
  decodeError: { key: string; error: unknown }
  /** A value has no form as text: it is kept in the near tier only. */
  encodeError: { key: string; error: unknown }
  writeBehindError: { key: string; attempt: number; error: unknown; givenUp: boolean }
}
