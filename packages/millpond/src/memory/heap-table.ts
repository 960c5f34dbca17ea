import { type Clock, systemClock } from '../core/clock.ts'
import { OptionError } from '../core/errors.ts'
import { type Size, sizeBytes } from '../core/size.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { PolicyFactory, RemovalReason } from './policy.ts'
import { estimateBytes } from './weigher.ts'

/** How large a table may become, what leaves it, and who is told. At least one bound is needed. */
export interface HeapTableOptions<V> {
  /** Bound on the number of entries. Default: none if `maxWeight` or `budget` is given. */
  maxEntries?: number
  /** Bound on the sum of weights, in bytes. Default: none. */
  maxWeight?: Size
  /** Weight of an entry. Default: an estimate of its bytes. */
  weigher?: (key: string, value: V) => number
  /** What leaves when the table is full. Default: `tinyLfu`. */
  policy?: PolicyFactory
  /** Default: the machine's clock. Asked only when an entry can expire. */
  clock?: Clock
  /** Seed of the key hash. Default: random, so that nobody can choose keys that collide. */
  seed?: number
  /** Called once for each value that leaves the table, after the call that removed it has done its work. May use the table. */
  onRemove?: (key: string, value: V, reason: RemovalReason) => void
  /** Told of what `onRemove` throws. Default: thrown on its own, as an uncaught exception. */
  onError?: (error: unknown) => void
  /** Room shared with other tables, instead of `maxWeight`. */
  budget?: MemoryBudget
}

/** How long an entry lives and what it weighs. */
export interface EntryLife {
  /** Milliseconds until it expires. Default Infinity: never. */
  ttlMs?: number
  /** Milliseconds without a `get` until it expires. Default Infinity: never. */
  idleMs?: number
  /** Default: what the weigher says. */
  weight?: number
}

/** What `dump` returns: entries from hot to cold, lives as remaining time. */
export type HeapTableDump<V> = readonly (readonly [key: string, value: V, life: EntryLife])[]

interface Entry<V> {
  value: V
  expiresAtMs: number
  idleMs: number
  weight: number
  usedAtMs: number
}

/** A bounded table of live values by string key. */
export class HeapTable<V> {
  readonly #entries = new Map<string, Entry<V>>()
  readonly #options: HeapTableOptions<V>
  readonly #clock: Clock
  readonly #maxWeight: number
  readonly #maxEntries: number
  #weight = 0

  constructor(options: HeapTableOptions<V>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#maxEntries = options.maxEntries ?? Number.POSITIVE_INFINITY
    if (!(this.#maxEntries >= 1)) throw new OptionError('maxEntries', options.maxEntries, 'give a whole number above 0')
    this.#maxWeight =
      options.maxWeight === undefined ? Number.POSITIVE_INFINITY : sizeBytes(options.maxWeight, 'maxWeight')
  }

  get size(): number {
    return this.#entries.size
  }

  get weight(): number {
    return this.#weight
  }

  get(key: string, nowMs?: number): V | undefined {
    const entry = this.#live(key, nowMs)
    if (!entry) return undefined
    entry.usedAtMs = nowMs ?? this.#clock.monotonic()
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  peek(key: string, nowMs?: number): V | undefined {
    return this.#live(key, nowMs)?.value
  }

  has(key: string, nowMs?: number): boolean {
    return this.#live(key, nowMs) !== undefined
  }

  set(key: string, value: V, life: EntryLife = {}, nowMs: number = this.#clock.monotonic()): boolean {
    this.delete(key, 'replace')
    const weight =
      life.weight ??
      (this.#maxWeight < Number.POSITIVE_INFINITY ? (this.#options.weigher ?? estimateBytes)(key, value) : 1)
    if (weight > this.#maxWeight) return false
    while (this.size >= this.#maxEntries || this.#weight + weight > this.#maxWeight) {
      const [oldest] = this.#entries.keys()
      this.delete(oldest!, 'evict')
    }
    this.#weight += weight
    const ttlMs = life.ttlMs ?? Number.POSITIVE_INFINITY
    this.#entries.set(key, {
      value,
      expiresAtMs: nowMs + ttlMs,
      idleMs: life.idleMs ?? Number.POSITIVE_INFINITY,
      weight,
      usedAtMs: nowMs,
    })
    return true
  }

  delete(key: string, reason: RemovalReason = 'delete'): boolean {
    const entry = this.#entries.get(key)
    if (!entry) return false
    this.#entries.delete(key)
    this.#weight -= entry.weight
    this.#options.onRemove?.(key, entry.value, reason)
    return true
  }

  clear(reason: RemovalReason = 'delete'): void {
    for (const key of [...this.#entries.keys()]) this.delete(key, reason)
  }

  *keys(): IterableIterator<string> {
    for (const [key] of this.entries()) yield key
  }

  *entries(): IterableIterator<[string, V]> {
    for (const key of [...this.#entries.keys()]) {
      const entry = this.#live(key)
      if (entry) yield [key, entry.value]
    }
  }

  hottest(count: number): [string, V][] {
    return [...this.entries()].reverse().slice(0, count)
  }

  coldest(count: number): [string, V][] {
    return [...this.entries()].slice(0, count)
  }

  dump(): HeapTableDump<V> {
    const nowMs = this.#clock.monotonic()
    return this.hottest(this.size).map(([key, value]) => {
      const { expiresAtMs, idleMs, weight } = this.#entries.get(key)!
      return [key, value, { ttlMs: expiresAtMs - nowMs, idleMs, weight }] as const
    })
  }

  load(dump: HeapTableDump<V>): void {
    for (const [key, value, life] of [...dump].reverse()) this.set(key, value, life)
  }

  #live(key: string, nowMs?: number): Entry<V> | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    const now = nowMs ?? this.#clock.monotonic()
    if (now < entry.expiresAtMs && now - entry.usedAtMs < entry.idleMs) return entry
    this.delete(key, 'expire')
    return undefined
  }
}
