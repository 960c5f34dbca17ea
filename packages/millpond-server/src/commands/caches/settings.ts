/** What a cache is to be, and how that is kept. */
import type { EvictionPolicy } from '../../engine/eviction.ts'
import type { KeptFile } from '../../security/kept-file.ts'

/** Times are milliseconds, sizes bytes; what is left out is as it is by itself, and Infinity is no bound. */
export interface CacheSettings {
  /** What keys and values may take. */
  readonly maxMemory?: number
  readonly policy?: EvictionPolicy
  /** The life of a key that is stored without one. Infinity: for ever. */
  readonly defaultTtlMs?: number
  /** No key lives longer. */
  readonly maxTtlMs?: number
  /** The longest key and value together. */
  readonly itemBytesMax?: number
  /** When changes are written to disk. Default: as the host does. */
  readonly append?: 'no' | 'everysec' | 'always'
  /** What all its clients together may do in a second: operations, bytes in, bytes out. */
  readonly operations?: number
  readonly bytesIn?: number
  readonly bytesOut?: number
  /** How many clients it may have, that came by a token or an access key. */
  readonly connections?: number
}

/** A cache as it was asked for. */
export interface CacheRecord {
  readonly name: string
  readonly createdAtMs: number
  readonly settings: CacheSettings
}

/** JSON has no Infinity: it is `null` there. */
type KeptSettings = { readonly [Name in keyof CacheSettings]: CacheSettings[Name] | null }

export interface KeptCaches {
  readonly caches: readonly (Omit<CacheRecord, 'settings'> & { readonly settings: KeptSettings })[]
}

export function readCaches(file: KeptFile<KeptCaches>): CacheRecord[] {
  return (file.read()?.caches ?? []).map(({ settings, ...record }) => ({
    ...record,
    settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, value ?? Infinity])),
  }))
}

export function writeCaches(file: KeptFile<KeptCaches>, records: Iterable<CacheRecord>): void {
  file.write({ caches: [...records] })
}
