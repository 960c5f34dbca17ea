/** What may be asked of an arena-table, and what it hands out. */
import type { Clock } from '../core/clock.ts'
import type { Size } from '../core/size.ts'
import type { ArenaListeners } from './arena-removals.ts'
import type { PolicyFactory } from './policy.ts'

/** What each thread that uses an arena-table chooses for itself. */
export interface ArenaThreadOptions extends ArenaListeners {
  /** What leaves when the table is full: the same in all threads. Default: `tinyLfu`. */
  policy?: PolicyFactory
  /** In place of `policy`: all that the table may be switched between by `usePolicy`. The first one begins. */
  policies?: readonly PolicyFactory[]
  /** Default: the machine's clock. A clock that is passed in must tell all threads the same time. */
  clock?: Clock
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
  /** Keys of different spaces are different keys: each is a table of its own within one bound. 1 to 32. Default 1. */
  spaces?: number
  /** Entries know when they were last used, or how often of late: 4 bytes each. Default false. */
  uses?: boolean
  /** Most entries will have an expiry: room for it is made from the beginning. Default: with the first one. */
  expiries?: boolean
  /** Only this thread will use the table: long values are copied faster. `share` is refused. Default false. */
  own?: boolean
}

/** What `share` returns: pass it to another thread (`workerData`, `postMessage`), which calls `ArenaTable.open`. */
export interface ArenaHandle {
  readonly buffer: SharedArrayBuffer
  /** Names of the policies: threads must use the same. */
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
