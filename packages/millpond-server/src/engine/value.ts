/** What a key may hold. Strings are bytes in the arena; everything else is an object of one of these kinds. */
import type { EncodingLimits } from './encoding-limits.ts'
import type { Dictionary } from './values/dictionary.ts'

/** The types of values, as TYPE tells them. */
export type ValueType = 'string' | 'list' | 'set' | 'zset' | 'hash' | 'stream'

/** A value that is not a string: a list, a set, a sorted set, a hash or a stream. */
export interface Collection {
  readonly type: Exclude<ValueType, 'string'>
  /** Number of elements. A collection without any is no longer there, except a stream. */
  readonly size: number
  /** About how many bytes it takes, kept up to date by each change: what the budget and MEMORY USAGE count. */
  readonly weight: number
  /** What OBJECT ENCODING says: 'listpack', 'hashtable', 'quicklist', 'intset', 'skiplist', 'stream'. */
  readonly encoding: string
  /** Of one whose elements may expire by themselves: a moment before which none does. */
  readonly nextExpiryMs?: number
  /** Removes up to so many of the elements whose time is over (default: all), and tells which. */
  removeExpired?(nowMs: number, most?: number): string[]
  /** What its elements are found by, where they have names. */
  readonly elements?: Dictionary<unknown>
  /** A copy that has nothing in common with it: COPY. */
  clone(): Collection
}

/** A kind of collection: how commands ask a keyspace for one, `db.find(key, HASH)`. */
export interface Kind<Value extends Collection> {
  readonly type: Value['type']
  /** An empty one. It keeps `limits`, by which it knows its encoding. */
  create(limits: EncodingLimits): Value
}

/** What OBJECT ENCODING says of a string. All are bytes here; Redis has forms, and which one depends on how it was written. */
export const STRING_FORM = {
  /** 'int' for a number, else by its length. */
  NATURAL: 0,
  /** By its length, also where it is a number: a sum of INCRBYFLOAT. */
  TEXT: 1,
  /** 'raw': a part of it was changed. */
  RAW: 2,
} as const
export type StringForm = (typeof STRING_FORM)[keyof typeof STRING_FORM]
