import type { MapState } from '../replica/map-state.ts'
import { checksumOf } from './checksum.ts'

/** Counters of a map in one process since it was made, and what it holds. Plain data. */
export interface MapStats {
  readonly sync: 'full' | 'part' | 'invalidate'
  /** Entries that are held here. */
  readonly size: number
  /** Of all that is known of the map: equal on peers that know the same. */
  readonly checksum: string
  readonly hits: number
  readonly misses: number
  /** Local changes: sets, deletes and clears. */
  readonly written: number
  /** Changes that went out, and those that a later one of the same key overtook before. */
  readonly sent: number
  readonly conflated: number
  /** Changed keys that wait to be sent. */
  readonly unsent: number
  /** Changes that came in; of these, those that changed something here; of those, what came by comparing states. */
  readonly received: number
  readonly applied: number
  readonly repaired: number
  readonly conflicts: number
  readonly evictions: number
  readonly expirations: number
  /** Large values that were fetched from a peer, and that could not be. */
  readonly fetched: number
  readonly fetchFailures: number
  readonly decodeErrors: number
  /** Changes that are remembered although nothing is held of them: deletions and what has expired, or what changed of late. */
  readonly remembered: number
  /** How long ago a deletion may lie and still be known, in milliseconds: less than `tombstoneTtl` when there were too many. */
  readonly remembersMs: number
  /** How many changes took below 1 ms from their writer to here, below 2, below 4 … the last: 16 s and more. As far as clocks agree. */
  readonly delayCounts: readonly number[]
}

/** What is to be told of a map now. */
export function statsOf({ counters, ledger, unsent, mode, size }: MapState): MapStats {
  const { delays, ...counts } = counters
  return {
    sync: mode.sync,
    size,
    checksum: checksumOf(ledger.buckets.hashes),
    ...counts,
    conflated: unsent.conflated,
    unsent: unsent.size,
    remembered: ledger.remembered,
    remembersMs: ledger.remembersMs,
    delayCounts: [...delays.counts],
  }
}
