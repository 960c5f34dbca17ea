import { type Clock, systemClock, type Timer } from '../core/clock.ts'
import { OptionError } from '../core/errors.ts'
import { StringHash } from '../core/hash.ts'
import { type Size, sizeBytes } from '../core/size.ts'
import { HashIndex } from './hash-index.ts'
import { Lives } from './lives.ts'
import type { BudgetMember, MemoryBudget } from './memory-budget.ts'
import { tinyLfu } from './policies/tiny-lfu.ts'
import type { Policy, PolicyFactory, RemovalReason } from './policy.ts'
import { Removals } from './removals.ts'
import type { EntryLife, Table } from './table.ts'
import { estimateBytes } from './weigher.ts'

/** How large a table may become, what leaves it, and who is told. At least one of the three bounds is needed. */
export interface HeapTableOptions<V> {
  /** Bound on the number of entries. Default: none. */
  maxEntries?: number | undefined
  /** Bound on the sum of weights, in bytes. Default: none. */
  maxWeight?: Size | undefined
  /** Room shared with other tables. */
  budget?: MemoryBudget | undefined
  /** Weight of an entry, where weights count. Default: an estimate of its bytes. */
  weigher?: (key: string, value: V) => number
  /** What leaves when the table is full. Default: `tinyLfu`. */
  policy?: PolicyFactory | undefined
  /** Default: the machine's clock. Asked only about entries that can expire. */
  clock?: Clock
  /** Seed of the key hash, for tests. Default: random, so that nobody can choose keys that collide. */
  seed?: number
  /**
   * Called once for each value that leaves the table, after the call that removed it has done its work. It may use the
   * table. A value that is set again under its own key has not left.
   */
  onRemove?: (key: string, value: V, reason: RemovalReason) => void
  /** Told of what `onRemove` throws. Default: an uncaught exception of its own. */
  onError?: (error: unknown) => void
}

/** What `dump` returns: entries from hot to cold, lives as what is left of them. It is plain data if the values are. */
export type HeapTableDump<V> = readonly (readonly [key: string, value: V, life: EntryLife])[]

/**
 * A bounded table of live values by string key. It is never above a bound, not even in between.
 *
 * Every method that takes `nowMs` works with that time (of the clock's `monotonic`), so that a caller reads the clock once.
 * Without it the table asks its clock, if an entry with an end is concerned. An expired entry is never returned; it
 * is removed when it is met, by the work that later calls do on the side, or by one timer for the whole table.
 *
 * How it works: keys and values lie in one array by slot number, all else in typed arrays: an own hash index (`Map` stalls
 * when it grows and slows down under churn), the policy's lists, the timer wheel. No operation allocates on a hit.
 */
export class HeapTable<V> implements Table<V> {
  readonly #hash: StringHash
  readonly #maxEntries: number
  readonly #maxWeight: number
  readonly #weigher: ((key: string, value: V) => number) | undefined
  readonly #factory: PolicyFactory
  readonly #clock: Clock
  readonly #removals: Removals<V> | undefined
  readonly #share: BudgetMember | undefined

  /** Key of slot n at 2n, its value behind it. Of a free slot: the next free slot (-1: none). */
  #items: unknown[]
  #slots: number
  #used = 0
  #free = -1
  #size = 0
  #index: HashIndex
  #policy: Policy
  #lives: Lives | undefined
  #timer: Timer | undefined
  #wakesAtMs = Number.POSITIVE_INFINITY
  readonly #collect = (slot: number): void => {
    if (typeof this.#items[slot * 2] === 'string') this.#remove(slot, 'expire')
  }

  /** @throws OptionError (`ERR_OPTION`) when a bound is not a positive number, or none is given */
  constructor(options: HeapTableOptions<V>) {
    const { maxEntries, maxWeight, budget, onRemove } = options
    if (maxEntries !== undefined && !(maxEntries >= 1 && maxEntries === Math.floor(maxEntries))) {
      throw new OptionError('maxEntries', maxEntries, 'give a whole number above 0')
    }
    this.#maxEntries = maxEntries ?? Number.POSITIVE_INFINITY
    this.#maxWeight = maxWeight === undefined ? Number.POSITIVE_INFINITY : sizeBytes(maxWeight, 'maxWeight')
    const weighted = maxWeight !== undefined || budget !== undefined
    if (!weighted && this.#maxEntries === Number.POSITIVE_INFINITY) {
      throw new OptionError('maxEntries', maxEntries, 'give maxEntries, maxWeight or a budget: a table needs a bound')
    }
    this.#weigher = weighted ? (options.weigher ?? estimateBytes) : undefined
    this.#hash = new StringHash(options.seed)
    this.#factory = options.policy ?? tinyLfu
    this.#clock = options.clock ?? systemClock
    this.#removals = onRemove && new Removals(onRemove, options.onError)
    this.#slots = Math.min(this.#maxEntries, weighted ? SLOTS_FIRST : SLOTS_PREPARED)
    this.#items = new Array(this.#slots * 2)
    this.#index = new HashIndex(this.#slots)
    this.#policy = this.#newPolicy()
    this.#share = budget?.join({
      size: () => this.#size,
      weight: () => this.#policy.weight,
      give: () => this.#giveOne(),
      settle: () => this.#removals?.tell(),
    })
  }

  /** Number of entries. Those that have expired and were not yet collected count. */
  get size(): number {
    return this.#size
  }

  /** Sum of weights; the number of entries in a table whose weight is not bounded. */
  get weight(): number {
    return this.#policy.weight
  }

  /** The value, if it is there and has not expired. A use: it counts for eviction and for `idleMs`. */
  get(key: string, nowMs?: number): V | undefined {
    const slot = this.#index.find(this.#hash.of(key), key, this.#items)
    if (slot < 0) return undefined
    const lives = this.#lives
    if (lives?.ends(slot)) {
      nowMs ??= this.#clock.coarse?.() ?? this.#clock.monotonic()
      if (lives.isOver(slot, nowMs)) {
        this.#remove(slot, 'expire')
        this.#removals?.tell()
        return undefined
      }
      lives.touch(slot, nowMs)
    }
    this.#policy.hit(slot)
    return this.#items[slot * 2 + 1] as V
  }

  /** As `get`, without a trace. */
  peek(key: string, nowMs?: number): V | undefined {
    const slot = this.#find(key, nowMs)
    return slot < 0 ? undefined : (this.#items[slot * 2 + 1] as V)
  }

  /** Whether the key is there and has not expired. Leaves no trace. */
  has(key: string, nowMs?: number): boolean {
    return this.#find(key, nowMs) >= 0
  }

  /**
   * Keeps a value, in place of the one that the key had. Returns false when it is heavier than the whole table may be: it is not kept
   * then, and the older value is gone too.
   *
   * @throws OptionError (`ERR_OPTION`) when `ttlMs`, `idleMs` or the weight is not a number at or above 0: nothing was changed
   */
  set(key: string, value: V, life: EntryLife = FOREVER, nowMs?: number): boolean {
    const weight = this.#weigher ? weightOf(life.weight ?? this.#weigher(key, value)) : 1
    const ttlMs = life.ttlMs === undefined ? Number.POSITIVE_INFINITY : checked('ttlMs', life.ttlMs)
    const idleMs = life.idleMs === undefined ? Number.POSITIVE_INFINITY : checked('idleMs', life.idleMs)
    if (ttlMs < Number.POSITIVE_INFINITY || idleMs < Number.POSITIVE_INFINITY) {
      nowMs ??= this.#clock.monotonic()
      this.#lives ??= new Lives(this.#slots, nowMs)
    }
    if (this.#lives && nowMs !== undefined) this.#lives.wheel.advance(nowMs, WORK_A_CALL, this.#collect)
    const kept = this.#put(key, value, weight, ttlMs, idleMs, nowMs)
    this.#removals?.tell()
    this.#share?.budget.settle()
    return kept
  }

  /** Removes an entry. Returns whether there was one. */
  delete(key: string, reason: RemovalReason = 'delete'): boolean {
    const slot = this.#index.find(this.#hash.of(key), key, this.#items)
    if (slot < 0) return false
    const over = this.#isOver(slot)
    this.#remove(slot, over ? 'expire' : reason)
    this.#removals?.tell()
    return !over
  }

  /** Removes all entries. */
  clear(reason: RemovalReason = 'delete'): void {
    if (this.#removals)
      for (const [slot, key] of this.#slotKeys()) this.#removals.add(key, this.#items[slot * 2 + 1] as V, reason)
    this.#share?.budget.account(-this.weight)
    this.#items = new Array(this.#slots * 2)
    this.#used = 0
    this.#size = 0
    this.#free = -1
    this.#index.clear()
    this.#policy.clear()
    this.#lives = undefined
    this.#timer?.cancel()
    this.#timer = undefined
    this.#wakesAtMs = Number.POSITIVE_INFINITY
    this.#removals?.tell()
  }

  /** Removes all that has expired. Not needed as a rule: the table does so on the side. */
  collect(nowMs: number = this.#clock.monotonic()): void {
    if (this.#lives)
      for (const [slot] of this.#slotKeys()) if (this.#lives.isOver(slot, nowMs)) this.#remove(slot, 'expire')
    this.#removals?.tell()
  }

  /** All keys, in no order. The table may change meanwhile: what is added then may be seen or not. */
  *keys(): IterableIterator<string> {
    for (const [slot, key] of this.#slotKeys()) if (!this.#isOver(slot)) yield key
  }

  /** All entries, as `keys`. */
  *entries(): IterableIterator<[key: string, value: V]> {
    for (const [slot, key] of this.#slotKeys()) if (!this.#isOver(slot)) yield [key, this.#items[slot * 2 + 1] as V]
  }

  /** The entries that the policy values most, hottest first. */
  hottest(count: number): [key: string, value: V][] {
    return this.#walk(count, (slot) => this.#policy.colder(slot)).map((slot) => this.#entry(slot))
  }

  /** The entries that are next to leave, coldest first. */
  coldest(count: number): [key: string, value: V][] {
    return this.#walk(count, (slot) => this.#policy.hotter(slot)).map((slot) => this.#entry(slot))
  }

  /** All entries with what is left of their lives, to `load` after a restart. */
  dump(): HeapTableDump<V> {
    const lives = this.#lives
    const nowMs = lives ? this.#clock.monotonic() : 0
    return this.#walk(this.#size, (slot) => this.#policy.colder(slot)).map((slot) => {
      const life: EntryLife = {}
      if (lives?.ends(slot)) {
        const ttlMs = lives.ttlMs(slot, nowMs)
        const idleMs = lives.idleMs(slot)
        if (ttlMs < Number.POSITIVE_INFINITY) life.ttlMs = ttlMs
        if (idleMs < Number.POSITIVE_INFINITY) life.idleMs = idleMs
      }
      if (this.#weigher) life.weight = this.#policy.weightOf(slot)
      return [...this.#entry(slot), life]
    })
  }

  /** Takes in a dump: the hottest entries first as far as there is room, and in that order again. */
  load(dump: HeapTableDump<V>): void {
    const max = Math.min(this.#maxWeight, this.#share?.budget.maxWeight ?? Number.POSITIVE_INFINITY)
    let weight = 0
    let count = 0
    for (const [key, value, life] of dump) {
      if (this.#weigher) weight += weightOf(life.weight ?? this.#weigher(key, value))
      if (weight > max || count === this.#maxEntries) break
      count++
    }
    while (count > 0) this.set(...dump[--count]!)
  }

  #put(key: string, value: V, weight: number, ttlMs: number, idleMs: number, nowMs: number | undefined): boolean {
    const hash = this.#hash.of(key)
    let slot = this.#index.find(hash, key, this.#items)
    if (slot >= 0) slot = this.#replace(slot, value, weight, nowMs)
    if (slot < 0) {
      if (!this.#makeRoom(hash, weight)) return false
      slot = this.#take()
      this.#items[slot * 2] = key
      this.#size++
      this.#index.add(hash, slot)
      this.#policy.insert(slot, hash, weight)
      this.#share?.came(hash)
      this.#share?.budget.account(weight)
    }
    this.#items[slot * 2 + 1] = value
    const lives = this.#lives
    if (lives) {
      lives.start(slot, ttlMs, idleMs, nowMs ?? 0)
      const dueAtMs = lives.wheel.deadlines[slot]! + SLACK_MS
      if (dueAtMs < this.#wakesAtMs) this.#wakeAt(dueAtMs, nowMs!)
    }
    return true
  }

  /** Makes the slot of a key ready for a new value. -1 when it had to be freed instead: the key is new then. */
  #replace(slot: number, value: V, weight: number, nowMs: number | undefined): number {
    if (this.#isOver(slot, nowMs)) {
      this.#remove(slot, 'expire')
      return -1
    }
    if (weight > this.#weightMax) {
      this.#remove(slot, 'replace')
      return -1
    }
    const policy = this.#policy
    const old = this.#items[slot * 2 + 1] as V
    policy.hit(slot)
    const more = this.#weigher ? weight - policy.weightOf(slot) : 0
    if (more !== 0) {
      // In a very small table the entry itself may be what leaves to make room.
      while (!this.#fits(0, more)) if (this.#evict(policy.hashOf(slot), more, slot, old === value) === slot) return -1
      policy.reweigh(slot, weight)
      this.#share?.budget.account(more)
    }
    if (old !== value) this.#removals?.add(this.#items[slot * 2] as string, old, 'replace')
    return slot
  }

  #makeRoom(hash: number, weight: number): boolean {
    if (weight > this.#weightMax) return false
    while (!this.#fits(1, weight)) this.#evict(hash, weight)
    return true
  }

  /** The heaviest entry that can be kept. */
  get #weightMax(): number {
    return Math.min(WEIGHT_MAX, this.#maxWeight, this.#share?.budget.maxWeight ?? WEIGHT_MAX)
  }

  #fits(count: number, weight: number): boolean {
    return this.#fitsAlone(count, weight) && (this.#share?.budget.fits(weight) ?? true)
  }

  #fitsAlone(count: number, weight: number): boolean {
    return this.#size + count <= this.#maxEntries && (!this.#weigher || this.#policy.weight + weight <= this.#maxWeight)
  }

  /** Frees one slot, here or in the table that loses least by it. Returns the slot that was freed here, or -1. */
  #evict(hash: number, weight: number, replaced = -1, silent = false): number {
    const share = this.#share
    if (share && this.#fitsAlone(replaced < 0 ? 1 : 0, weight)) {
      const giver = share.budget.giver(share)
      if (giver !== share) {
        giver.table.give()
        return -1
      }
    }
    const slot = this.#policy.evict(hash, weight)
    share?.left(this.#policy.hashOf(slot))
    this.#release(slot, slot !== replaced ? 'evict' : silent ? undefined : 'replace')
    return slot
  }

  #giveOne(): void {
    const slot = this.#policy.evict(0, 1)
    this.#share!.left(this.#policy.hashOf(slot))
    this.#release(slot, 'evict')
  }

  #remove(slot: number, reason: RemovalReason): void {
    this.#policy.remove(slot)
    this.#release(slot, reason)
  }

  /** Takes a slot that has left the policy out of everything else. Without a reason nobody is told. */
  #release(slot: number, reason: RemovalReason | undefined): void {
    const items = this.#items
    const at = slot * 2
    if (this.#removals && reason) this.#removals.add(items[at] as string, items[at + 1] as V, reason)
    this.#index.remove(this.#policy.hashOf(slot), slot)
    this.#share?.budget.account(-this.#policy.weightOf(slot))
    items[at] = this.#free
    items[at + 1] = undefined
    this.#free = slot
    this.#size--
  }

  /** A slot that is free. */
  #take(): number {
    const slot = this.#free
    if (slot >= 0) {
      this.#free = this.#items[slot * 2] as number
      return slot
    }
    if (this.#used === this.#slots) this.#grow()
    return this.#used++
  }

  #grow(): void {
    this.#slots = Math.min(this.#maxEntries, this.#slots * 2)
    const items = new Array(this.#slots * 2)
    for (let at = 0; at < this.#used * 2; at++) items[at] = this.#items[at]
    this.#items = items
    this.#index.grow(this.#slots)
    const policy = this.#newPolicy()
    policy.adopt(this.#policy)
    this.#policy = policy
    this.#lives?.grow(this.#slots)
    this.#share?.remember(this.#slots)
  }

  #newPolicy(): Policy {
    const shape = { slots: this.#slots, weighted: this.#weigher !== undefined }
    return this.#factory.create(shape, new ArrayBuffer(this.#factory.bytes(shape)), 0)
  }

  #find(key: string, nowMs: number | undefined): number {
    const slot = this.#index.find(this.#hash.of(key), key, this.#items)
    return slot < 0 || this.#isOver(slot, nowMs) ? -1 : slot
  }

  #isOver(slot: number, nowMs?: number): boolean {
    const lives = this.#lives
    if (!lives?.ends(slot)) return false
    return lives.isOver(slot, nowMs ?? this.#clock.monotonic())
  }

  #entry(slot: number): [key: string, value: V] {
    return [this.#items[slot * 2] as string, this.#items[slot * 2 + 1] as V]
  }

  /** Slots in use with their keys. */
  *#slotKeys(): IterableIterator<[slot: number, key: string]> {
    for (let slot = 0; slot < this.#used; slot++) {
      const key = this.#items[slot * 2]
      if (typeof key === 'string') yield [slot, key]
    }
  }

  /** Up to `count` slots that have not expired, in the order of `step`. */
  #walk(count: number, step: (slot: number) => number): number[] {
    const slots: number[] = []
    for (let slot = step(-1); slot >= 0 && slots.length < count; slot = step(slot))
      if (!this.#isOver(slot)) slots.push(slot)
    return slots
  }

  /** One timer for the whole table. It does not keep a table alive that nobody uses any more. */
  #wakeAt(atMs: number, nowMs: number): void {
    const table = new WeakRef(this)
    this.#timer?.cancel()
    this.#wakesAtMs = atMs
    this.#timer = this.#clock.after(Math.max(1, atMs - nowMs), () => {
      const alive = table.deref()
      if (alive) alive.#wake()
    })
  }

  #wake(): void {
    this.#timer = undefined
    this.#wakesAtMs = Number.POSITIVE_INFINITY
    const wheel = this.#lives!.wheel
    const nowMs = this.#clock.monotonic()
    const done = wheel.advance(nowMs, WORK_A_WAKE, this.#collect)
    if (wheel.size > 0) this.#wakeAt(done ? wheel.nextMs() : nowMs, nowMs)
    this.#removals?.tell()
  }
}

const FOREVER: EntryLife = {}
/** Slots that a table bounded by `maxEntries` prepares at once, and that one bounded by weight begins with. */
const SLOTS_PREPARED = 2 ** 20
const SLOTS_FIRST = 1024
const WEIGHT_MAX = 2 ** 31 - 1
/** Expired entries and buckets that one `set` looks after on the side, and one wake-up of the timer: some microseconds, some hundred. */
const WORK_A_CALL = 32
const WORK_A_WAKE = 2000
/** A bucket of the timer wheel begins up to this long after what is due in it. */
const SLACK_MS = 64

function weightOf(weight: number): number {
  return Math.max(1, Math.ceil(checked('weight', weight)))
}

function checked(name: string, value: number): number {
  if (value >= 0) return value
  throw new OptionError(name, value, 'give a number at or above 0')
}
