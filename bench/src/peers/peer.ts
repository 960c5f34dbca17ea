/**
 * What a caching library looks like to the suites: one cache over one loader, set up with the options that the
 * library's own documentation shows. Each adapter adds one closure to a call, so that none is favoured.
 */

import type { Trade } from './trade.ts'

export interface Peer {
  readonly name: string
  /** Where the library can renew in the background: how old a value is when a read starts that, under `renew`. */
  readonly renewAfterMs?: number
  readonly open: (options: PeerOptions) => PeerCache | Promise<PeerCache>
}

export interface PeerOptions {
  readonly load: (key: string) => Promise<Trade>
  /** Room for so many entries, where the library has a bound. */
  readonly entries: number
  readonly ttlMs: number
  /** Serve the old value and renew it in the background after `renewAfterMs`. */
  readonly renew?: boolean
  /** Give each entry the tag `TAG`. */
  readonly tags?: boolean
}

/** The one tag that the suites use. */
export const TAG = 'trades'

export interface PeerCache {
  /** The value of the cache, else of the loader. */
  readonly get: (key: string) => Promise<Trade>
  readonly set?: (key: string, value: Trade) => Promise<unknown>
  readonly delete: (key: string) => Promise<unknown>
  /** Only where `tags` can be given to what a loader returns. */
  readonly deleteByTag?: (tag: string) => Promise<unknown>
  readonly close: () => Promise<unknown>
}
