/** How a map is kept alike. */
export type Sync = 'full' | 'part' | 'invalidate'

/** What all peers have to agree on about a map. */
export interface MapMode {
  readonly sync: Sync
  /** Whether every peer holds everything: `full`, and without a bound. Then all that is held counts in the digest. */
  readonly everything: boolean
}

const SYNCS: readonly Sync[] = ['full', 'part', 'invalidate']
const EVERYTHING = 4

/** The mode as one byte. */
export function modeByte({ sync, everything }: MapMode): number {
  return SYNCS.indexOf(sync) + (everything ? EVERYTHING : 0)
}

/** @throws RangeError where the byte stands for none */
export function modeOf(byte: number): MapMode {
  const sync = SYNCS[byte & 3]
  if (sync === undefined || byte > EVERYTHING) throw new RangeError(`a map of mode ${byte}`)
  return { sync, everything: (byte & EVERYTHING) !== 0 }
}
