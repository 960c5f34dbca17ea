/** What may be asked of an arena-table, and what it hands out. */
import type { Clock } from '../core/clock.ts'
import type { Size } from '../core/size.ts'
import type { ArenaRemovalListener } from './arena-removals.ts'
import type { PolicyFactory } from './policy.ts'

/** What each thread that uses an arena-table chooses for itself. */
export interface ArenaThreadOptions {
  /** What leaves when the table is full: the same in all threads. Default: `tinyLfu`. */
  policy?: PolicyFactory
  /** Default: the machine's clock. A clock that is passed in must tell all threads the same time. */
  clock?: Clock
  /**
   * Called once for each entry that this thread removed, after the call that removed it has done its work. `key` is a
   * copy of the key. It may use the table. Costs a copy of each removed key. Default: nobody is told.
   */
  onRemove?: ArenaRemovalListener
  /** Told of what `onRemove` throws. Default: thrown on its own, as an uncaught exception. */
  onError?: (error: unknown) => void
}

/** How large an arena-table may become. */
export interface ArenaTableOptions extends ArenaThreadOptions {
  /**
   * Bytes of everything: keys, values, index, policy. Never exceeded. More: more hits. At least `'256kb'`; at most what a
   * `Uint8Array` spans (4 GiB on Node 20). Address space is reserved at once, memory is used as entries come.
   */
  maxWeight: Size
  /** The longest key and value together, in bytes. Longer ones are not stored. Default and most: a quarter of `maxWeight`. */
  maxItem?: Size
  /** Parts with a lock and an index of their own, a power of two. More: threads meet less often. Default: one for 1 to 4 MiB. */
  stripes?: number
  /** Two words that key the hash. Default: random, so that nobody can choose keys that collide. */
  seed?: readonly [number, number]
}

/** What `share` returns: pass it to another thread (`workerData`, `postMessage`), which calls `ArenaTable.open`. */
export interface ArenaHandle {
  readonly buffer: SharedArrayBuffer
  /** Name of the policy: threads must use the same. */
  readonly policy: string
}

/** What may be said about a value that is set. */
export interface ArenaLife {
  /** Milliseconds until it expires. Default Infinity: never. */
  ttlMs?: number
  /** A word of the caller's own, kept with the value and handed out with it. Default 0. */
  flags?: number
}

/** One step of `scan`. */
export interface ArenaScan {
  /** Where to go on; 0: everything was seen. */
  readonly cursor: number
  readonly keys: readonly Uint8Array[]
}
