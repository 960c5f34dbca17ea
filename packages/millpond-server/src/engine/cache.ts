/** A cache: databases that share one budget of bytes, one eviction policy and one set of rules for what may be stored. */
import type { FrequencyPace } from 'millpond/memory'
import { CasNumbers } from './cas-numbers.ts'
import { EncodingLimits } from './encoding-limits.ts'
import { countsUses, type EvictionPolicy } from './eviction.ts'
import { type ItemSharing, Items, type ItemsHandle } from './items.ts'
import { Keyspace, type KeyspaceObserver } from './keyspace.ts'
import type { EngineTime } from './time.ts'

/** How a cache is made. Times are milliseconds, sizes bytes. */
export interface CacheOptions {
  /** Default 'default'. */
  readonly name?: string
  readonly time: EngineTime
  readonly observer: KeyspaceObserver
  /** What is reserved, and so the most that `maxMemory` can be. Address space only: memory is used as keys come. */
  readonly capacity: number
  /** The bound on keys and values; 0, the default: `capacity`. */
  readonly maxMemory?: number
  /** Default 'allkeys-tinylfu'. */
  readonly policy?: EvictionPolicy
  /** Default 16, at most 16. */
  readonly databases?: number
  /** The life of a key that was stored without one. Default Infinity: for ever. */
  readonly defaultTtlMs?: number
  /** No key lives longer than this. Default Infinity. */
  readonly maxTtlMs?: number
  /** The longest key and value together. Default and most: a quarter of `capacity`. */
  readonly itemBytesMax?: number
  readonly limits?: EncodingLimits
  /** Whether threads share it. Default 'own': they do not. */
  readonly sharing?: ItemSharing
}

/** The least that an arena works with. */
const MEMORY_MIN = 256 * 1024
/** More parts than this would cost more memory than they save time: indexes of empty parts are 64 KiB each. */
const STRIPES_MAX = 64
/** How long a step of clearing away may take, how often there is one, and how many slots are looked at between looks at the clock. */
const STEP_MS = 1
const STEP_EVERY_MS = 100
const SLOTS_A_LOOK = 4096
/** What one command may be made to wait for others' room. */
const EVICTIONS_A_COMMAND = 256

/**
 * Keys that have expired are never served; their room comes back when they are asked for, when room is needed, and by a
 * timer that takes a millisecond ten times a second, and the next one at once as long as it finds much to do.
 */
export class Cache {
  readonly name: string
  readonly databases: readonly Keyspace[]
  readonly limits: EncodingLimits
  /** For items of memcached's clients. */
  readonly casNumbers: CasNumbers
  defaultTtlMs: number
  maxTtlMs: number
  itemBytesMax: number
  /** Told whether memory is above its bound, so that commands must ask `hasRoom` first. */
  onPressure: (above: boolean) => void = () => {}
  /** Runs what is done from time to time for several keys: where threads share the cache, without them. */
  alone: (work: () => void) => void = (work) => work()
  /** Told how long a step of clearing away took. */
  onCleared: (ms: number) => void = () => {}
  readonly #items: Items
  readonly #time: EngineTime
  #pace: FrequencyPace = { logFactor: 10, decayMinutes: 1 }
  #policy: EvictionPolicy
  #reserved = 0
  #maxMemory = 0
  #above = false
  #stripe = 0
  /** How many walks are under way. */
  #holds = 0
  #timer: { cancel(): void } | undefined

  constructor(options: CacheOptions) {
    const { time, observer, capacity, limits = new EncodingLimits() } = options
    this.name = options.name ?? 'default'
    this.limits = limits
    this.defaultTtlMs = options.defaultTtlMs ?? Number.POSITIVE_INFINITY
    this.maxTtlMs = options.maxTtlMs ?? Number.POSITIVE_INFINITY
    this.itemBytesMax = options.itemBytesMax ?? Math.floor(capacity / 4)
    this.#time = time
    this.casNumbers = new CasNumbers(time.wall())
    const stripes = capacity >= STRIPES_MAX * 4 * 2 ** 20 ? STRIPES_MAX : undefined
    const left = (space: number, key: Uint8Array, reason: 'expire' | 'evict'): void => this.#left(space, key, reason)
    this.#items = new Items(time, capacity, stripes, left, options.sharing)
    this.#items.onHeavy = () => this.#weigh()
    this.databases = Array.from({ length: options.databases ?? 16 }, (_, index) => {
      return new Keyspace(index, this, this.#items, time, observer)
    })
    this.#policy = options.policy ?? 'allkeys-tinylfu'
    this.setPolicy(this.#policy)
    this.setMaxMemory(options.maxMemory ?? 0)
  }

  /** `maxmemory`: 0 is all of `capacity`. */
  get maxMemory(): number {
    return this.#maxMemory
  }

  /** The bound that holds: `maxMemory` or, where that is 0 or more than was reserved, `capacity`. */
  get bytesMax(): number {
    return this.#items.table.maxWeight
  }

  get capacity(): number {
    return this.#items.table.capacity
  }

  /** Bytes that keys, values, and what is kept to find them take. */
  get usedBytes(): number {
    return this.#items.table.usedBytes
  }

  /** What an empty cache takes. */
  get overheadBytes(): number {
    return this.#items.table.usedBytes - this.dataBytes
  }

  /** Bytes of keys and values alone. */
  get dataBytes(): number {
    const { table } = this.#items
    return table.itemWeight + table.objectWeight
  }

  /** Keys in databases that were emptied, which are not cleared away yet. */
  get lazyFreePending(): number {
    return this.#items.leftOver
  }

  get policy(): EvictionPolicy {
    return this.#policy
  }

  /** Changes `maxmemory`. What is above a lower bound leaves in steps: before commands that need memory, and by the timer. */
  setMaxMemory(bytes: number): void {
    this.#maxMemory = bytes
    const { table, areOthers } = this.#items
    if (areOthers) return
    const left = bytes - this.#reserved
    table.setMaxWeight(bytes === 0 ? table.capacity : Math.max(MEMORY_MIN, Math.min(left, table.capacity)))
    this.#weigh()
  }

  /** Changes who leaves when the cache is full. */
  setPolicy(policy: EvictionPolicy): void {
    this.#policy = policy
    if (!this.#items.areOthers) this.#items.table.usePolicy(policy)
    this.#items.table.countUses(countsUses(policy) ? this.#pace : undefined)
    this.#weigh()
  }

  /** `lfu-log-factor`, `lfu-decay-time`. */
  setPace(pace: FrequencyPace): void {
    this.#pace = pace
    this.setPolicy(this.#policy)
  }

  /** Whether a command that may need memory can run, after others have let go what they may. `false`: answer OOM. */
  hasRoom(): boolean {
    if (!this.#above) return true
    const state = this.#items.table.trim(EVICTIONS_A_COMMAND)
    if (state === 'within') this.#press(false)
    return state !== 'stuck'
  }

  /** Clears away what has expired from now on, in small steps. */
  start(): void {
    this.#timer ??= this.#time.after(STEP_EVERY_MS, () => this.#tick())
  }

  /** Ends what `start` began. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /**
   * Clears away keys that have expired, and what is left of databases that were emptied, for about so many milliseconds.
   * Returns how many keys.
   */
  clearAway(ms: number = STEP_MS): number {
    const { table } = this.#items
    const endsAtMs = performance.now() + ms
    let removed = 0
    for (let left = table.stripes; left > 0; left--) {
      this.#stripe = (this.#stripe + 1) % table.stripes
      let slots = table.slotsOf(this.#stripe)
      for (; slots > 0; slots -= SLOTS_A_LOOK) {
        removed += table.sweepStripe(this.#stripe, SLOTS_A_LOOK)
        if (performance.now() >= endsAtMs) return removed
      }
    }
    return removed
  }

  /** Clears away fields of hashes that have expired, for about so many milliseconds. Returns whether there is more to do. */
  clearFields(ms: number = STEP_MS): boolean {
    const endsAtMs = performance.now() + ms
    return this.databases.some((database) => {
      while (database.clearFields()) if (performance.now() >= endsAtMs) return true
      return false
    })
  }

  /** Runs what puts keys that were stored before: neither the bound on memory nor the rules about lives hold meanwhile. */
  readmit(run: () => void): void {
    const { maxMemory, defaultTtlMs, maxTtlMs } = this
    this.setMaxMemory(0)
    this.defaultTtlMs = this.maxTtlMs = Number.POSITIVE_INFINITY
    try {
      run()
    } finally {
      this.setMaxMemory(maxMemory)
      this.defaultTtlMs = defaultTtlMs
      this.maxTtlMs = maxTtlMs
    }
  }

  /** Lets keys keep their places, so that a walk through them meets none twice: until all have let go who asked for it. */
  holdShape(hold: boolean): void {
    this.#holds += hold ? 1 : -1
    this.#items.table.keepSlots(this.#holds > 0)
  }

  /** From now on other threads may use it, with what this returns as `sharing`. It must have been made 'shareable'. */
  share(): ItemsHandle {
    return this.#items.share(this.databases.map(({ space }) => space))
  }

  /** This thread's number among those that share it, and whether one of them is provably gone. */
  get member(): number {
    return this.#items.table.member
  }

  isGone(member: number): boolean {
    return this.#items.table.isGone(member)
  }

  /**
   * Keeps other threads out of a part of the arena until `release`, so that several calls for its keys are as one. Several are
   * held in the order of their numbers.
   */
  hold(stripe: number): void {
    this.#items.table.hold(stripe)
  }

  release(): void {
    this.#items.table.release()
  }

  /** Who is told of collections of another thread that this one has removed. */
  set onRelease(run: (number: number) => void) {
    this.#items.onRelease = run
  }

  /** Lets go of a collection that another thread has removed. */
  releaseCollection(number: number): void {
    this.#items.release(number)
  }

  /** Runs something whose reading counts as no use of a key. */
  untouched(run: () => void): void {
    const { table } = this.#items
    table.ignoreUse(true)
    try {
      run()
    } finally {
      table.ignoreUse(false)
    }
  }

  /** Lets keys that have expired stay, though they are not served: while writes are held back. */
  keepExpired(keep: boolean): void {
    this.#items.table.keepExpired(keep)
  }

  /** Says that so many bytes of `maxmemory` are taken by what is no key: buffers of clients. */
  setReserved(bytes: number): void {
    this.#reserved = bytes
    this.setMaxMemory(this.#maxMemory)
  }

  /** Exchanges what two databases hold. */
  swap(one: number, other: number): void {
    this.databases[one]!.exchange(this.databases[other]!)
  }

  #tick(): void {
    this.#time.tick()
    const beganAtMs = performance.now()
    const much = this.clearAway() > SLOTS_A_LOOK / 8
    let more = false
    this.alone(() => {
      more = this.clearFields()
    })
    if (this.#above) this.hasRoom()
    this.onCleared(performance.now() - beganAtMs)
    this.#timer = undefined
    this.#timer = this.#time.after(much || more ? 1 : STEP_EVERY_MS, () => this.#tick())
  }

  #weigh(): void {
    this.#press(this.#items.table.isAbove)
  }

  #press(above: boolean): void {
    if (above === this.#above) return
    this.#above = above
    this.onPressure(above)
  }

  #left(space: number, key: Uint8Array, reason: 'expire' | 'evict'): void {
    for (const database of this.databases) if (database.space === space) database.left(key, reason)
  }
}
