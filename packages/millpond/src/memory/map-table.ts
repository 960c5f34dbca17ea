import type { Clock, Timer } from '../core/clock.ts'
import { positiveCount } from '../core/count.ts'
import { OptionError } from '../core/errors.ts'
import { sizeBytes } from '../core/size.ts'
import type { RemovalReason } from './policy.ts'
import { Removals } from './removals.ts'
import type { EntryLife, Table, TableOptions } from './table.ts'

/**
 * The table of the small cache: bounded, with expiry, on a `Map` of the engine. A fifth of the code of `HeapTable`, which
 * finds more hits on block storage and loops and does not stall at millions of entries, as a growing `Map` does.
 *
 * What leaves is chosen by S3-FIFO. Newcomers go through a small queue of a tenth of the table; those used more than once on
 * their way go on to the main queue, the others leave and are remembered. What comes back while it is remembered goes
 * to the main queue at once, where each use gives another round (Yang et al., "FIFO Queues are All You Need for Cache
 * Eviction", SOSP 2023).
 *
 * An expired entry is never returned. It is removed when it is met, or by a timer that looks through the whole table:
 * seldom enough that this is less than a thousandth of the time.
 */
export class MapTable<V> implements Table<V> {
  readonly #options: TableOptions<V>
  readonly #clock: Clock
  readonly #maxEntries: number
  readonly #maxWeight: number
  readonly #removals: Removals<V>
  readonly #items = new Map<string, Item<V>>()
  readonly #small = new Queue<V>()
  readonly #main = new Queue<V>()
  /** Keys that left the small queue of late: up to half as many as there are entries in each set. */
  #left = new Set<string>()
  #leftBefore = new Set<string>()
  #timer: Timer | undefined
  #wakesAtMs = Number.POSITIVE_INFINITY

  /** @throws OptionError (`ERR_OPTION`) when a bound is not a positive number */
  constructor(options: TableOptions<V>) {
    const { maxEntries, maxWeight } = options
    this.#options = options
    this.#clock = options.clock
    this.#maxEntries = positiveCount(maxEntries, 'maxEntries', Number.POSITIVE_INFINITY)
    this.#maxWeight = maxWeight === undefined ? Number.POSITIVE_INFINITY : sizeBytes(maxWeight, 'maxWeight')
    this.#removals = new Removals(options.onRemove)
  }

  get size(): number {
    return this.#items.size
  }

  get weight(): number {
    return this.#small.weight + this.#main.weight
  }

  get(key: string, nowMs: number = this.#clock.monotonic()): V | undefined {
    const item = this.#items.get(key)
    if (item === undefined) return undefined
    if (item.expiresAtMs <= nowMs) {
      this.#remove(item, 'expire')
      this.#removals.tell()
      return undefined
    }
    item.expiresAtMs = Math.min(item.endsAtMs, nowMs + item.idleMs)
    if (item.uses < USES_MAX) item.uses++
    return item.value
  }

  peek(key: string, nowMs: number = this.#clock.monotonic()): V | undefined {
    const item = this.#items.get(key)
    return item === undefined || item.expiresAtMs <= nowMs ? undefined : item.value
  }

  set(key: string, value: V, life: EntryLife, nowMs: number = this.#clock.monotonic()): boolean {
    const weight = this.#weightOf(key, value, life)
    const old = this.#items.get(key)
    if (old) this.#remove(old, old.expiresAtMs <= nowMs ? 'expire' : 'replace')
    const fits = weight <= this.#maxWeight
    if (fits) {
      while (this.size >= this.#maxEntries || this.weight + weight > this.#maxWeight) this.#evict()
      const item = new Item(key, value, weight, life, nowMs)
      if (old) item.uses = Math.min(USES_MAX, old.uses + 1)
      const isKnown = old ? old.queue === this.#main : this.#left.has(key) || this.#leftBefore.has(key)
      this.#items.set(key, item)
      ;(isKnown ? this.#main : this.#small).add(item)
      this.#wakeBy(item.expiresAtMs, nowMs)
    }
    this.#removals.tell()
    return fits
  }

  delete(key: string, reason: RemovalReason): void {
    const item = this.#items.get(key)
    if (item === undefined) return
    this.#remove(item, item.expiresAtMs <= this.#clock.monotonic() ? 'expire' : reason)
    this.#removals.tell()
  }

  clear(reason: RemovalReason): void {
    for (const item of this.#items.values()) this.#remove(item, reason)
    this.#left.clear()
    this.#leftBefore.clear()
    this.#timer?.cancel()
    this.#wakesAtMs = Number.POSITIVE_INFINITY
    this.#removals.tell()
  }

  #weightOf(key: string, value: V, life: EntryLife): number {
    if (this.#maxWeight === Number.POSITIVE_INFINITY) return 1
    const weight = life.weight ?? this.#options.weigher(key, value)
    if (weight >= 0) return Math.max(1, Math.ceil(weight))
    throw new OptionError('weight', weight, 'give a number at or above 0')
  }

  #evict(): void {
    const small = this.#small
    const main = this.#main
    for (;;) {
      const isSmall = main.weight === 0 || small.weight >= SMALL_SHARE * this.weight
      const item = (isSmall ? small : main).oldest
      if (item.uses <= (isSmall ? 1 : 0)) {
        if (isSmall) this.#remember(item.key)
        this.#remove(item, 'evict')
        return
      }
      item.queue!.remove(item)
      item.uses = isSmall ? 0 : item.uses - 1
      main.add(item)
    }
  }

  #remember(key: string): void {
    this.#left.add(key)
    if (this.#left.size < this.size / 2) return
    this.#leftBefore = this.#left
    this.#left = new Set()
  }

  #remove(item: Item<V>, reason: RemovalReason): void {
    this.#items.delete(item.key)
    item.queue!.remove(item)
    this.#removals.add(item.key, item.value, reason)
  }

  /** Looks for what has expired at that time, or as soon as it is allowed to. It does not keep a table alive that nobody uses. */
  #wakeBy(expiresAtMs: number, nowMs: number): void {
    const atMs = Math.max(expiresAtMs, nowMs + Math.max(SWEEP_MS_MIN, this.size * SWEEP_MS_AN_ENTRY))
    if (atMs >= this.#wakesAtMs) return
    this.#timer?.cancel()
    this.#wakesAtMs = atMs
    const table = new WeakRef(this)
    this.#timer = this.#clock.after(atMs - nowMs, () => {
      const alive = table.deref()
      if (alive) alive.#sweep()
    })
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonic()
    let nextMs = Number.POSITIVE_INFINITY
    for (const item of this.#items.values()) {
      if (item.expiresAtMs <= nowMs) this.#remove(item, 'expire')
      else nextMs = Math.min(nextMs, item.expiresAtMs)
    }
    this.#wakesAtMs = Number.POSITIVE_INFINITY
    this.#wakeBy(nextMs, nowMs)
    this.#removals.tell()
  }
}

const USES_MAX = 3
const SMALL_SHARE = 0.1
/** The least time between two looks through the table; an entry takes some ten nanoseconds. */
const SWEEP_MS_MIN = 1000
const SWEEP_MS_AN_ENTRY = 0.1

/** An entry with its place in a queue. */
class Item<V> {
  readonly key: string
  readonly value: V
  readonly weight: number
  readonly idleMs: number
  /** When it expires even if it is used. */
  readonly endsAtMs: number
  expiresAtMs: number
  /** Uses since it entered its queue, up to `USES_MAX`. */
  uses = 0
  queue: Queue<V> | undefined = undefined
  newer: Item<V> = this
  older: Item<V> = this

  constructor(key: string, value: V, weight: number, life: EntryLife, nowMs: number) {
    const { ttlMs = Number.POSITIVE_INFINITY, idleMs = Number.POSITIVE_INFINITY } = life
    this.key = key
    this.value = value
    this.weight = weight
    this.idleMs = idleMs
    this.endsAtMs = nowMs + ttlMs
    this.expiresAtMs = nowMs + Math.min(ttlMs, idleMs)
  }
}

/** Entries in the order in which they came: a ring through a head. */
class Queue<V> {
  weight = 0
  readonly #head = new Item<V>('', undefined as V, 0, {}, 0)

  get oldest(): Item<V> {
    return this.#head.newer
  }

  add(item: Item<V>): void {
    const head = this.#head
    item.queue = this
    item.older = head.older
    item.newer = head
    head.older = item.older.newer = item
    this.weight += item.weight
  }

  remove(item: Item<V>): void {
    item.older.newer = item.newer
    item.newer.older = item.older
    this.weight -= item.weight
  }
}
