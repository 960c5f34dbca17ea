import type { Clock } from '../core/clock.ts'
import type { Size } from '../core/size.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { PolicyFactory, RemovalReason } from './policy.ts'

/** What a near tier needs of a bounded table by string key: `HeapTable` is one, and the small cache brings `MapTable`. */
export interface Table<V> {
  readonly size: number
  /** Sum of weights; the number of entries in a table whose weight is not bounded. */
  readonly weight: number
  /** The value, if it is there and has not expired. A use: it counts for eviction and for `idleMs`. */
  get(key: string, nowMs?: number): V | undefined
  /** As `get`, without a trace. */
  peek(key: string, nowMs?: number): V | undefined
  /** Keeps a value, in place of the one that the key had. False when it is too heavy: the older value is gone all the same. */
  set(key: string, value: V, life: EntryLife, nowMs?: number): boolean
  delete(key: string, reason: RemovalReason): void
  clear(reason: RemovalReason): void
}

/** What a near tier asks of its table. */
export interface TableOptions<V> {
  maxEntries?: number | undefined
  maxWeight?: Size | undefined
  /** Weight of an entry, where weights count. */
  weigher: (key: string, value: V) => number
  /** What leaves when the table is full, for tables that give a choice. */
  policy?: PolicyFactory | undefined
  /** Room shared with other tables, for tables that can share. */
  budget?: MemoryBudget | undefined
  clock: Clock
  /** Called once for each value that leaves, after the call that removed it has done its work. It may use the table. */
  onRemove: (key: string, value: V, reason: RemovalReason) => void
}

/** How long an entry lives and what it weighs. */
export interface EntryLife {
  /** Milliseconds until it expires. Default Infinity: never. */
  ttlMs?: number
  /** Milliseconds without a `get` until it expires. Default Infinity: never. */
  idleMs?: number
  /** In bytes, rounded up, at least 1. Default: what the weigher says. */
  weight?: number | undefined
}
