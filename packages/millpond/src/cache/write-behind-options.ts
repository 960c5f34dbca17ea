import type { Duration } from '../core/duration.ts'
import type { Journal } from '../core/journal.ts'
import type { Change } from './write-queue.ts'
import type { WriteRetry } from './write-retry.ts'

/** Options of write-behind. */
export interface WriteBehindOptions<I, V> {
  /** Most writes of one call. More: fewer calls, larger ones. Without `writeMany`, so many run beside each other. Default 100. */
  maxBatch?: number
  /** How long a write waits for others to share its batch. Longer: larger batches, and more lost in a crash without `journal`. Default `'100ms'`. */
  delay?: Duration
  /** How many keys may wait. At this bound `set` and `delete` wait for room. Default 10,000. */
  maxPending?: number
  /** What happens after a failed write. */
  retry?: WriteRetry
  /** Where acknowledged writes survive a crash: `set` resolves once the journal has them. One journal serves one source. Default: none. */
  journal?: Journal
  /**
   * Takes over a write that was given up (a dead letter). Once it returns, the write leaves the journal; if it throws,
   * or is not given, the write stays in the journal and is tried again at the next start, unless a later write of the
   * same key is delivered first.
   */
  onGiveUp?: (write: GivenUpWrite<I, V>) => void | PromiseLike<void>
  /** How long `close()` goes on trying to empty the queue. Default `'8s'`, within that of the cache's own `close`. */
  closeTimeout?: Duration
}

/** A write that will not be tried again by this process. */
export interface GivenUpWrite<I, V> extends Change<I, V> {
  readonly key: string
  readonly error: unknown
  readonly attempts: number
}
