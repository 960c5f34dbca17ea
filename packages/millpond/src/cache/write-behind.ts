import type { Duration } from '../core/duration.ts'
import type { Journal } from '../core/journal.ts'

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
   * or is not given, the write stays in the journal and is tried again at the next start.
   */
  onGiveUp?: (write: GivenUpWrite<I, V>) => void | PromiseLike<void>
  /** How long `close()` goes on trying to empty the queue. Default `'10s'`. */
  closeTimeout?: Duration
}

/** How a failed write is tried again: after `base`, then twice that, and so on up to `max`, each shortened at random. */
export interface WriteRetry {
  /** Tries of one write, the first included, before it is given up. Default: no bound. */
  attempts?: number
  /** How long after its first try a write may still be tried again. Default: no bound. */
  for?: Duration
  /** The first pause. Default `'100ms'`. */
  base?: Duration
  /** The longest pause. Default `'30s'`. */
  max?: Duration
  /** The share of a pause that is left to chance, 0 to 1. Default 0.5. */
  jitter?: number
}

/** A write that will not be tried again by this process. */
export interface GivenUpWrite<I, V> {
  readonly key: string
  readonly id: I
  /** `undefined` when `removed`. */
  readonly value: V | undefined
  /** True when it was a delete. */
  readonly removed: boolean
  readonly error: unknown
  readonly attempts: number
}
