/** A table of bytes outside the heap that all threads of a process may share. */
import { OptionError, ValueError } from '../core/errors.ts'
import { sizeBytes } from '../core/size.ts'
import { ArenaClock } from './arena-clock.ts'
import { ArenaCore } from './arena-core.ts'
import { keyLengthOf, readItem, valueLengthOf } from './arena-item.ts'
import { type ArenaKey, ArenaKeyReader } from './arena-key.ts'
import { CHUNK, HEAD_BYTES, planLayout, TABLE } from './arena-layout.ts'
import { ArenaMemory } from './arena-memory.ts'
import type { ArenaHandle, ArenaLife, ArenaScan, ArenaTableOptions, ArenaThreadOptions } from './arena-options.ts'
import { ArenaRemovals } from './arena-removals.ts'
import type { ArenaStripe } from './arena-stripe.ts'
import { ArenaView } from './arena-view.ts'
import { ArenaWriter } from './arena-writer.ts'
import { tinyLfu } from './policies/tiny-lfu.ts'
import type { Policy, PolicyFactory, RemovalReason } from './policy.ts'

const WEIGHT_MIN = 256 * 1024
/** Values up to this are copied into the view's own bytes; a longer one that cannot be shown in place gets bytes of its own. */
const SCRATCH_BYTES = 64 * 1024
const SCAN_SLOTS = 256

/**
 * A bounded table of bytes by bytes, in one `SharedArrayBuffer`: entries cost the garbage collector nothing, however
 * many there are, and worker threads can use one table together.
 *
 * ```ts
 * const table = new ArenaTable({ maxWeight: '256mb' })
 * table.set('user:17', 'Ann', { ttlMs: 60_000 })
 * table.get('user:17')?.toString()
 *
 * new Worker(file, { workerData: table.share() })       // and there: ArenaTable.open(workerData)
 * ```
 *
 * A key is text, or bytes: then `start` and `end` say which part of them, so that a key can be read where it lies in a
 * socket's buffer. No call keeps what it was given.
 *
 * Implementation note. Keys are spread by a keyed hash over stripes, each with an open-addressing index, slots and a policy
 * (arena-stripe.ts). Items lie in chunks that pages are cut into, long ones in chains (arena-item.ts). Pages belong to the
 * table, not to stripes, and move between sizes of chunks by moving what is left in the emptiest of them (arena-pages.ts,
 * arena-room.ts). So the bound on bytes is a number of pages, and cannot be passed. A stripe is a few MiB, so growing one
 * is short however large the table is: many small tables stand in for one that is rehashed in steps.
 *
 * Threads take the lock of one stripe for a call, and only try those of others. A thread that ended while it held a lock
 * is known by its closed file (arena-members.ts). The next one makes that stripe anew from its slots and drops the item
 * that was being written: every chunk is at any moment in a free list, or reached from a slot, or from a word that says
 * what is being changed. A table that was never shared takes no locks.
 *
 * Bonwick, "The Slab Allocator", USENIX 1994. Rumble, Kejriwal and Ousterhout, "Log-structured Memory for DRAM-based
 * Storage", FAST 2014 (why an allocator for a cache must move items). Fan, Andersen and Kaminsky, "MemC3", NSDI 2013
 * (striped locks). Yang, Yue and Rashmi, "Segcache", NSDI 2021 (what the metadata of small items costs).
 */
export class ArenaTable {
  readonly #core: ArenaCore
  readonly #memory: ArenaMemory
  readonly #policy: PolicyFactory
  readonly #key: ArenaKeyReader
  readonly #text: ArenaKeyReader
  readonly #writer: ArenaWriter
  readonly #view = new ArenaView()
  #scratch = new Uint8Array(0)

  constructor(options: ArenaTableOptions | { readonly memory: ArenaMemory; readonly thread: ArenaThreadOptions }) {
    const { memory, thread } = 'memory' in options ? options : { memory: makeMemory(options), thread: options }
    this.#memory = memory
    this.#policy = thread.policy ?? tinyLfu
    const removals = new ArenaRemovals(thread.onRemove, thread.onError)
    this.#core = new ArenaCore(memory, this.#policy, new ArenaClock(thread.clock), removals)
    if (!('memory' in options)) this.#core.pages.reset()
    this.#key = new ArenaKeyReader(memory.words[TABLE.SEED_0]!, memory.words[TABLE.SEED_1]!)
    this.#text = new ArenaKeyReader(0, 0)
    this.#writer = new ArenaWriter(this.#core)
  }

  /** Opens the table of another thread. Give `policy` if that table was made with one. */
  static open(handle: ArenaHandle, options: ArenaThreadOptions = {}): ArenaTable {
    const name = (options.policy ?? tinyLfu).name
    if (handle.policy !== name) {
      throw new OptionError('policy', name, `the table that was shared uses ${handle.policy}: pass the same`)
    }
    const table = new ArenaTable({ memory: ArenaMemory.attach(handle.buffer), thread: options })
    table.#core.join()
    return table
  }

  /** Lets other threads use this table. From here on each call takes a lock, and views are copies. */
  share(): ArenaHandle {
    this.#core.join()
    return { buffer: this.#memory.buffer, policy: this.#policy.name }
  }

  /** Ends this thread's use of the table; other threads go on. A call after it throws `ClosedError`. */
  close(): void {
    this.#core.part()
  }

  /** The bound on `weight`. */
  get maxWeight(): number {
    return this.#memory.buffer.byteLength
  }

  /** Bytes in use: of pages that hold items, indexes, or parts of either. Never above `maxWeight`. */
  get weight(): number {
    return this.#core.pages.used * this.#memory.layout.pageBytes
  }

  /** Bytes of chunks that hold items: the part of `weight` that is neither index nor free for items of the same size. */
  get itemWeight(): number {
    return this.#memory.words[TABLE.LIVE_UNITS]! * 16
  }

  /** Number of entries, with those that have expired and were not yet cleared away. */
  get size(): number {
    return this.#core.stripes.reduce((sum, stripe) => sum + stripe.count, 0)
  }

  /** The value of a key, as a view that lasts until the next call of this table; `undefined`: there is none. */
  get(key: ArenaKey, start?: number, end?: number): ArenaView | undefined {
    return this.#read(key, start, end, true)
  }

  /** As `get`, but does not count as use. */
  peek(key: ArenaKey, start?: number, end?: number): ArenaView | undefined {
    return this.#read(key, start, end, false)
  }

  /**
   * Copies the value of a key into `target` from `at` on, if it fits there, and returns the value's length; -1: there is
   * none. A length above `target.length - at` says that nothing was copied.
   */
  copyTo(target: Uint8Array, at: number, key: ArenaKey, start?: number, end?: number): number {
    this.#key.aim(key, start, end)
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      const ref = this.#core.find(stripe, this.#key)
      if (ref === 0) return -1
      stripe.policy.hit(stripe.slotOf(ref))
      const length = valueLengthOf(this.#memory, ref)
      if (length <= target.length - at) {
        readItem(this.#memory, ref, keyLengthOf(this.#memory, ref), target, at, length)
      }
      return length
    } finally {
      this.#core.exit(stripe)
    }
  }

  /** Whether there is a value. Does not count as use. */
  has(key: ArenaKey, start?: number, end?: number): boolean {
    return this.#at(key, start, end, () => true) ?? false
  }

  /**
   * Stores a value; text as UTF-8. `false`: it is longer than `maxItem` or there was no room for it, and the key has no value now.
   *
   * @throws OptionError when `ttlMs` is not above 0
   */
  set(key: ArenaKey, value: string | Uint8Array, life: ArenaLife = {}): boolean {
    const ttlMs = life.ttlMs ?? Number.POSITIVE_INFINITY
    if (typeof value === 'string') {
      this.#text.aim(value, undefined, undefined)
      return this.setBytes(key, undefined, undefined, this.#text.bytes, 0, this.#text.end, life.flags, ttlMs)
    }
    return this.setBytes(key, undefined, undefined, value, 0, value.length, life.flags, ttlMs)
  }

  /** As `set`, with parts of longer bytes for key and value: allocates nothing. */
  setBytes(
    key: ArenaKey,
    keyStart: number | undefined,
    keyEnd: number | undefined,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    flags = 0,
    ttlMs: number = Number.POSITIVE_INFINITY,
  ): boolean {
    this.#key.aim(key, keyStart, keyEnd)
    checkValue(value, valueStart, valueEnd)
    const expiresAtMs = this.#expiryAfter(ttlMs)
    if (this.#key.length + valueEnd - valueStart > this.#memory.words[TABLE.ITEM_BYTES_MAX]!) {
      this.#remove('replace')
      return false
    }
    // What lies in the arena may be freed, and overwritten, while room is made for it.
    if (value.buffer === this.#memory.buffer) {
      this.#writer.aim(value.slice(valueStart, valueEnd), 0, valueEnd - valueStart, flags, expiresAtMs)
    } else {
      this.#writer.aim(value, valueStart, valueEnd, flags, expiresAtMs)
    }
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      return this.#writer.set(stripe, this.#key)
    } catch (error) {
      stripe.repair()
      throw error
    } finally {
      this.#core.exit(stripe)
    }
  }

  /** Removes a key. Returns whether it had a value. */
  delete(key: ArenaKey, start?: number, end?: number): boolean {
    this.#key.aim(key, start, end)
    return this.#remove('delete')
  }

  /**
   * Gives a key another time to live, from now; Infinity: for ever. Returns whether the key has a value.
   *
   * @throws OptionError when `ttlMs` is not above 0
   */
  expireAfter(ttlMs: number, key: ArenaKey, start?: number, end?: number): boolean {
    const expiresAtMs = this.#expiryAfter(ttlMs)
    this.#key.aim(key, start, end)
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      const columns = expiresAtMs === Number.POSITIVE_INFINITY || stripe.hasExpiries
      if (this.#core.find(stripe, this.#key) === 0) return false
      // Growing may move or evict the item: it is looked up again.
      const roomy = columns || this.#core.room.rehome(stripe, stripe.grownShape(true))
      const ref = this.#core.find(stripe, this.#key)
      if (ref === 0) return false
      if (roomy) stripe.setExpiry(ref, expiresAtMs)
      else this.#core.remove(stripe, stripe.slotOf(ref), 'evict')
      return roomy
    } finally {
      this.#core.exit(stripe)
    }
  }

  /** Milliseconds until a key expires; Infinity: never; -1: it has no value. */
  remainingMs(key: ArenaKey, start?: number, end?: number): number {
    const rest = this.#at(key, start, end, (stripe, ref) =>
      stripe.hasExpiry(ref)
        ? stripe.expiresAtMs(stripe.slotOf(ref)) - this.#core.clock.nowMs()
        : Number.POSITIVE_INFINITY,
    )
    return rest === undefined ? -1 : Math.max(0, rest)
  }

  /**
   * Clears away expired entries, looking at `slots` of each stripe, and returns how many. An expired entry is never
   * served; its room comes back when it is asked for, when room is needed, by and by with every `set`, or here.
   */
  sweep(slots: number = SCAN_SLOTS): number {
    let removed = 0
    for (const stripe of this.#core.stripes) {
      if (stripe.expiring === 0) continue
      this.#core.enter(stripe)
      try {
        removed += this.#core.sweep(stripe, slots)
      } finally {
        this.#core.exit(stripe)
      }
    }
    return removed
  }

  /** Removes all entries. At once, in a table of one thread that nobody listens to; else stripe by stripe. */
  clear(reason: RemovalReason = 'delete'): void {
    if (!this.#core.shared && !this.#core.removals.wanted) {
      this.#core.forget()
      return
    }
    for (const stripe of this.#core.stripes) {
      this.#core.enter(stripe)
      try {
        for (let slot = 0; slot < stripe.usedSlots; slot++) {
          if (stripe.itemOf(slot) > 0) this.#core.remove(stripe, slot, reason)
        }
      } finally {
        this.#core.exit(stripe)
      }
    }
  }

  /**
   * Keys in steps: begin with cursor 0 and go on with the one that was returned until it is 0. A key that has a value from the
   * beginning to the end is returned: once, or twice when a part of the table shrank meanwhile. One that is set or removed
   * meanwhile may be returned or not. Other threads work on between the steps.
   *
   * @param count about how many places of the table to look at in this step
   */
  scan(cursor = 0, count: number = SCAN_SLOTS): ArenaScan {
    const { stripes } = this.#core
    const number = Math.floor(cursor / SLOTS_MAX)
    const stripe = stripes[number]
    if (!stripe || !(count >= 1)) {
      throw new OptionError(
        stripe ? 'count' : 'cursor',
        stripe ? count : cursor,
        'begin with 0, then as `scan` returned',
      )
    }
    const keys: Uint8Array[] = []
    this.#core.enter(stripe)
    const nowMs = this.#core.clock.nowMs()
    // Downwards: items only ever move to lower slots.
    const top = Math.min(stripe.usedSlots, cursor % SLOTS_MAX || SLOTS_MAX)
    const bottom = Math.max(0, top - count)
    for (let slot = top - 1; slot >= bottom; slot--) {
      const ref = stripe.itemOf(slot)
      if (ref > 0 && !stripe.isExpired(ref, nowMs)) keys.push(this.#keyOf(ref))
    }
    this.#core.exit(stripe)
    if (bottom > 0) return { cursor: number * SLOTS_MAX + bottom, keys }
    return { cursor: number + 1 < stripes.length ? (number + 1) * SLOTS_MAX : 0, keys }
  }

  /** All keys, with the promises of `scan`. */
  *keys(): Generator<Uint8Array> {
    let cursor = 0
    do {
      const step = this.scan(cursor)
      yield* step.keys
      cursor = step.cursor
    } while (cursor !== 0)
  }

  /** Up to `count` keys, those that the policy would keep longest first. Each stripe orders its own. */
  hottest(count: number): Uint8Array[] {
    return this.#ranked(count, (policy, slot) => policy.colder(slot))
  }

  /** Up to `count` keys, those that the policy would let go first. */
  coldest(count: number): Uint8Array[] {
    return this.#ranked(count, (policy, slot) => policy.hotter(slot))
  }

  /**
   * Says that a worker has ended: call it with `worker.threadId`, read before the `exit` event. On Node that is found out
   * without it; elsewhere, what a killed worker had locked is given free only by this.
   */
  reportExit(threadId: number): void {
    this.#core.reportExit(threadId)
  }

  #read(key: ArenaKey, start: number | undefined, end: number | undefined, use: boolean): ArenaView | undefined {
    this.#key.aim(key, start, end)
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      const ref = this.#core.find(stripe, this.#key)
      if (ref === 0) return undefined
      if (use) stripe.policy.hit(stripe.slotOf(ref))
      this.#show(stripe, ref)
      return this.#view
    } finally {
      this.#core.exit(stripe)
    }
  }

  #show(stripe: ArenaStripe, ref: number): void {
    const view = this.#view
    const memory = this.#memory
    const keyLength = keyLengthOf(memory, ref)
    const length = valueLengthOf(memory, ref)
    view.flags = memory.words[ref * 4 + CHUNK.FLAGS]!
    view.expiresAtMs = stripe.hasExpiry(ref) ? stripe.expiresAtMs(stripe.slotOf(ref)) : Number.POSITIVE_INFINITY
    if (!this.#core.shared && memory.words[ref * 4 + CHUNK.NEXT] === 0) {
      view.bytes = memory.bytes
      view.start = ref * 16 + HEAD_BYTES + keyLength
    } else {
      view.bytes = this.#room(length)
      view.start = 0
      readItem(memory, ref, keyLength, view.bytes, 0, length)
    }
    view.end = view.start + length
  }

  /** Bytes for a copy that lasts until the next call. */
  #room(length: number): Uint8Array {
    if (length > SCRATCH_BYTES) return new Uint8Array(length)
    if (this.#scratch.length === 0) this.#scratch = new Uint8Array(SCRATCH_BYTES)
    return this.#scratch
  }

  #at<R>(
    key: ArenaKey,
    start: number | undefined,
    end: number | undefined,
    found: (stripe: ArenaStripe, ref: number) => R,
  ): R | undefined {
    this.#key.aim(key, start, end)
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      const ref = this.#core.find(stripe, this.#key)
      return ref === 0 ? undefined : found(stripe, ref)
    } finally {
      this.#core.exit(stripe)
    }
  }

  #remove(reason: RemovalReason): boolean {
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      const ref = this.#core.find(stripe, this.#key)
      if (ref !== 0) this.#core.remove(stripe, stripe.slotOf(ref), reason)
      return ref !== 0
    } catch (error) {
      stripe.repair()
      throw error
    } finally {
      this.#core.exit(stripe)
    }
  }

  #expiryAfter(ttlMs: number): number {
    if (ttlMs === Number.POSITIVE_INFINITY) return ttlMs
    if (ttlMs > 0) return this.#core.clock.nowMs() + ttlMs
    throw new OptionError('ttlMs', ttlMs, 'give milliseconds above 0, or Infinity; to end an entry now, delete it')
  }

  #keyOf(ref: number): Uint8Array {
    const key = new Uint8Array(keyLengthOf(this.#memory, ref))
    readItem(this.#memory, ref, 0, key, 0, key.length)
    return key
  }

  /** The first of each stripe, then the second of each, and so on. */
  #ranked(count: number, next: (policy: Policy, slot: number) => number): Uint8Array[] {
    const lists = this.#core.stripes.map((stripe) => this.#firstOf(stripe, count, next))
    const ranked: Uint8Array[] = []
    for (let rank = 0; ranked.length < count; rank++) {
      const keys = lists.map((list) => list[rank]).filter((key) => key !== undefined)
      if (keys.length === 0) break
      ranked.push(...keys.slice(0, count - ranked.length))
    }
    return ranked
  }

  #firstOf(stripe: ArenaStripe, count: number, next: (policy: Policy, slot: number) => number): Uint8Array[] {
    const keys: Uint8Array[] = []
    this.#core.enter(stripe)
    if (stripe.count > 0) {
      for (let slot = next(stripe.policy, -1); slot >= 0 && keys.length < count; slot = next(stripe.policy, slot)) {
        keys.push(this.#keyOf(stripe.itemOf(slot)))
      }
    }
    this.#core.exit(stripe)
    return keys
  }
}

/** Cursors are stripe * this + slot. */
const SLOTS_MAX = 2 ** 32

function checkValue(value: Uint8Array, start: number, end: number): void {
  if (!(value instanceof Uint8Array)) throw new ValueError(undefined, 'an arena-table keeps bytes: give a Uint8Array')
  if (!(start >= 0 && start <= end && end <= value.length)) {
    throw new ValueError(undefined, `bytes ${start} to ${end} are not inside the ${value.length} that were given`)
  }
}

function makeMemory(options: ArenaTableOptions): ArenaMemory {
  const bytes = sizeBytes(options.maxWeight, 'maxWeight')
  if (bytes < WEIGHT_MIN) throw new OptionError('maxWeight', options.maxWeight, `give at least '256kb'`)
  const { stripes } = options
  if (stripes !== undefined && !(stripes >= 1 && stripes <= 4096 && Number.isInteger(Math.log2(stripes)))) {
    throw new OptionError('stripes', stripes, 'give a power of two from 1 to 4096')
  }
  const memory = ArenaMemory.create(planLayout(bytes, stripes))
  const itemMost = Math.floor(memory.buffer.byteLength / 4)
  const item = options.maxItem === undefined ? itemMost : sizeBytes(options.maxItem, 'maxItem')
  if (item > itemMost) throw new OptionError('maxItem', options.maxItem, 'give at most a quarter of maxWeight')
  const [seed0, seed1] = options.seed ?? crypto.getRandomValues(new Int32Array(2))
  memory.words[TABLE.ITEM_BYTES_MAX] = item
  memory.words[TABLE.SEED_0] = seed0!
  memory.words[TABLE.SEED_1] = seed1!
  return memory
}
