import { type Duration, durationMs } from '../../core/duration.ts'
import { OptionError } from '../../core/errors.ts'
import { type Size, sizeBytes } from '../../core/size.ts'
import type { PolicyFactory } from '../../memory/policy.ts'
import type { MapMode, Sync } from '../replica/map-mode.ts'
import type { MapBounds } from '../replica/map-state.ts'

/** How `mesh.map` makes a map. Peers have to agree on `sync` and on whether there is a bound; the rest is each one's own. */
export interface MeshMapOptions {
  /**
   * `'full'`: every peer holds every entry. `'part'`: a change goes to the peers that hold the key; who does not hold it stays
   * without. `'invalidate'`: a change makes the others drop their copies, and values stay where they were set. Default: `'full'`.
   */
  readonly sync?: Sync
  /** How long what is set here lives, on every peer. Up: fewer misses. Down: less memory, less age. Default: for ever. */
  readonly ttl?: Duration
  /** How many entries this process holds. Beyond that some leave, here alone. Default: no bound. */
  readonly maxEntries?: number
  /** How many bytes they take, about: keys and encoded values. Default: no bound. */
  readonly maxWeight?: Size
  /** Which entries leave: `tinyLfu` (default), `s3Fifo`, `sieve`, `lru` of `millpond/memory`. */
  readonly policy?: PolicyFactory
  /**
   * What becomes of a key that two peers change without knowing of each other. `'latest'`: the later change. `'evict'`: neither, the key
   * is dropped everywhere and read from its source again. Default: `'latest'`.
   */
  readonly conflict?: 'latest' | 'evict'
  /** A change by a peer of a key that was read here so recently is told as the event `overtaken`. Default: 0, never. */
  readonly readWindow?: Duration
  /** How many changed keys may wait to be sent before `set` throws. Default: 1,000,000. */
  readonly maxUnsent?: number
}

/** Options, checked. */
export interface WholeMapOptions {
  readonly mode: MapMode
  readonly bounds: MapBounds
  readonly lifeMs: number
  readonly unsentMax: number
}

/** @throws OptionError (`ERR_OPTION`) */
export function wholeMapOptions(options: MeshMapOptions): WholeMapOptions {
  const { sync = 'full', conflict = 'latest', ttl, readWindow = 0, policy } = options
  if (sync !== 'full' && sync !== 'part' && sync !== 'invalidate') {
    throw new OptionError('sync', sync, "give 'full', 'part' or 'invalidate'")
  }
  if (conflict !== 'latest' && conflict !== 'evict')
    throw new OptionError('conflict', conflict, "give 'latest' or 'evict'")
  const maxEntries = whole('maxEntries', options.maxEntries)
  const maxWeight =
    options.maxWeight === undefined ? Number.POSITIVE_INFINITY : sizeBytes(options.maxWeight, 'maxWeight')
  const isBounded = maxEntries < Number.POSITIVE_INFINITY || maxWeight < Number.POSITIVE_INFINITY
  return Object.freeze({
    mode: Object.freeze({ sync, everything: sync === 'full' && !isBounded }),
    bounds: Object.freeze({
      maxEntries,
      maxWeight,
      policy,
      conflict,
      readWindowMs: durationMs(readWindow, 'readWindow'),
    }),
    lifeMs: lifeOf(ttl) ?? Number.POSITIVE_INFINITY,
    unsentMax: whole('maxUnsent', options.maxUnsent ?? 1_000_000),
  })
}

/** Milliseconds of a `ttl`; undefined where none was given. @throws OptionError (`ERR_OPTION`) when it is not above 0 */
export function lifeOf(ttl: Duration | undefined): number | undefined {
  if (ttl === undefined) return undefined
  const ms = durationMs(ttl, 'ttl')
  if (ms > 0) return ms
  throw new OptionError('ttl', ttl, 'give a duration above 0')
}

function whole(option: string, value: number | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY
  if (value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY)) return value
  throw new OptionError(option, value, 'give a whole number from 1 up')
}
