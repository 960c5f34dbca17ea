/** One database of a cache: keys, what they hold, and when they expire. */
import type { ArenaTable, ArenaView } from 'millpond/memory'
import type { Cache } from './cache.ts'
import { Deadlines } from './deadlines.ts'
import type { EncodingLimits } from './encoding-limits.ts'
import { outOfMemory, ReplyError, wrongType } from './errors.ts'
import type { Items } from './items.ts'
import { hideMarks, Marks, TAIL_BITS } from './marks.ts'
import { Span } from './span.ts'
import type { EngineTime } from './time.ts'
import { type Collection, type Kind, STRING_FORM, type StringForm, type ValueType } from './value.ts'

/** What happened to a key, by the letters of `notify-keyspace-events`: generic, string, list, set, hash, zset, stream, expired, evicted, new. */
export type EventClass = 'g' | '$' | 'l' | 's' | 'h' | 'z' | 't' | 'x' | 'e' | 'n'

/** Who is told what happens in a keyspace: transactions that watch, tracking, keyspace events, the log. */
export interface KeyspaceObserver {
  /** A key has got another value or expiry, or is gone. `key` says something only during the call. */
  changed(keyspace: Keyspace, key: Span, event: string, eventClass: EventClass): void
  /** Something of a key has changed that is no event and that nobody watches: only the log must know. */
  noted(keyspace: Keyspace, key: Span): void
  /** A key left by itself: its time was over, or room was needed. */
  left(keyspace: Keyspace, key: Span, reason: 'expire' | 'evict'): void
  /** All keys are gone. */
  cleared(keyspace: Keyspace): void
  /** The cache gave a key that was stored another expiry than was said, by its rules. */
  expires?(keyspace: Keyspace, key: Span, expiresAtMs: number): void
  /** Fields of a hash left because their time was over; `changed` follows. */
  fieldsExpired?(keyspace: Keyspace, key: Span, fields: readonly string[]): void
  /** Whether `created` is to be called: it costs a look for the key. Default false. */
  readonly wantsCreated?: boolean
  /** There is a key that was not there; `changed` follows. */
  created?(keyspace: Keyspace, key: Span): void
}

/** The arena's cursors: so many for each of its stripes. */
const CURSORS_A_STRIPE = 2 ** 32
/** In how many collections, and how many elements of each, are cleared away at once. */
const COLLECTIONS_A_STEP = 16
const FIELDS_A_STEP = 256

/** What a key holds: a string's bytes and form, or a collection. */
export interface Held {
  readonly bytes?: Uint8Array
  readonly form?: StringForm
  readonly value?: Collection
  readonly expiresAtMs: number
  /** Of a string that a client of memcached has stored with flags: see `engine/marks.ts`. */
  readonly clientFlags?: number
}

/**
 * Strings lie as bytes in the arena. A collection is an object, and the arena holds its number, so that expiry,
 * eviction, SCAN and the budget have one mechanism for all keys.
 *
 * Reading (`readString`, `read`) counts as use of the key and as hit or miss; `editString` and `edit`, for commands that go on
 * to change what they find, do not. What they return says something until the next call.
 * After a change a command calls `changed`, which also lets go of a collection that has become empty.
 */
export class Keyspace {
  readonly index: number
  /** The cache that this is a database of. */
  readonly cache: Cache
  /** By which collections know their encoding. */
  readonly limits: EncodingLimits
  /** Changes since the start: `rdb_changes_since_last_save` and what must be logged are told by it. */
  changes = 0
  hits = 0
  misses = 0
  /** The space of the arena that this database is now. */
  space: number
  readonly #items: Items
  readonly #table: ArenaTable
  readonly #time: EngineTime
  readonly #observer: KeyspaceObserver
  /** Keys of hashes of which fields expire, and a moment before which none does. */
  #fieldExpiries = new Deadlines()
  readonly #marks = new Marks()
  // The key of the last call, and its collection's number (0: none): `changed` follows as a rule, and need not look again.
  #lastBytes: Uint8Array | undefined
  #lastStart = 0
  #lastEnd = 0
  #lastNumber = 0

  constructor(index: number, cache: Cache, items: Items, time: EngineTime, observer: KeyspaceObserver) {
    this.index = index
    this.cache = cache
    this.limits = cache.limits
    this.space = items.spaceOf(index)
    this.#items = items
    this.#table = items.table
    this.#time = time
    this.#observer = observer
  }

  /** Number of keys, with those that have expired and were not yet cleared away. */
  get size(): number {
    return this.#table.sizeOf(this.space)
  }

  /** How many keys have an expiry. */
  get expiring(): number {
    return this.#table.expiringOf(this.space)
  }

  /** Says that a key will be asked for soon: see `fetch`. Returns whether there is room for more. */
  expect(bytes: Buffer, start: number, end: number): boolean {
    return this.#table.ahead.expect(bytes, start, end, this.space)
  }

  /** Fetches the keys that are expected from memory, all at once. */
  fetch(): void {
    this.#table.ahead.fetch()
  }

  /** Says that an element of what a key holds will be asked for soon, of the key that was fetched as the n-th. Returns whether it has such. */
  expectElement(n: number, bytes: Buffer, start: number, end: number): boolean {
    const number = this.#table.ahead.reference(n)
    const elements = number === 0 ? undefined : this.#items.collection(number)?.elements
    if (elements === undefined) return false
    this.#items.elementsAhead.add(elements, bytes, start, end)
    return true
  }

  /** Fetches these elements from memory, all at once. */
  fetchElements(): void {
    this.#items.elementsAhead.fetch()
  }

  /** What a key holds; `undefined`: nothing. */
  typeOf(key: Span): ValueType | undefined {
    const view = this.#table.glance(key.bytes, key.start, key.end, this.space)
    return view && this.#items.typeOf(view.number)
  }

  /** The bytes of a string, for reading. @throws ReplyError WRONGTYPE */
  readString(key: Span): ArenaView | undefined {
    const view = this.#table.get(key.bytes, key.start, key.end, this.space)
    if (view === undefined) {
      this.misses++
      return undefined
    }
    this.hits++
    if (view.number !== 0) throw wrongType()
    if ((view.flags & TAIL_BITS) !== 0) hideMarks(view)
    return view
  }

  /** The bytes of a string that is going to be changed. @throws ReplyError WRONGTYPE */
  editString(key: Span): ArenaView | undefined {
    const view = this.#table.get(key.bytes, key.start, key.end, this.space)
    if (view === undefined) return undefined
    if (view.number !== 0) throw wrongType()
    if ((view.flags & TAIL_BITS) !== 0) hideMarks(view)
    return view
  }

  /**
   * A string with its marks, for who knows of them (`Marks.read`), or a collection, whose `number` is not 0. Neither hit nor miss.
   *
   * @param uses whether it counts as use of the key
   */
  item(key: Span, uses: boolean): ArenaView | undefined {
    const { bytes, start, end } = key
    return uses ? this.#table.get(bytes, start, end, this.space) : this.#table.peek(bytes, start, end, this.space)
  }

  /** Writes over bytes of a string with its marks, and says which bits announce them. `false`: there is none, or it is shorter. */
  patchItem(key: Span, from: number, bytes: Uint8Array, bits: number): boolean {
    return this.#table.writePart(from, bytes, bits, key.bytes, key.start, key.end, this.space)
  }

  /** How long a string is, for reading; -1: there is none. Its bytes are not touched, however many there are. @throws ReplyError WRONGTYPE */
  readLength(key: Span): number {
    const length = this.editLength(key)
    if (length < 0) this.misses++
    else this.hits++
    return length
  }

  /** As `readLength`, of a string that is going to be changed. @throws ReplyError WRONGTYPE */
  editLength(key: Span): number {
    const view = this.#table.glance(key.bytes, key.start, key.end, this.space)
    if (view === undefined) return -1
    if (view.number !== 0) throw wrongType()
    return view.length - (view.flags & TAIL_BITS)
  }

  /** Reads a part of a string, which must lie inside, into the beginning of `target`. Ask for its length before. */
  readPart(key: Span, from: number, length: number, target: Uint8Array): void {
    this.#table.readPart(target, from, length, key.bytes, key.start, key.end, this.space)
  }

  /** Writes over a part of a string. `false`, and nothing was done: it is not so long, has marks, or is not there. */
  writePart(key: Span, from: number, bytes: Uint8Array): boolean {
    const { flags = 0 } = this.#table.glance(key.bytes, key.start, key.end, this.space) ?? {}
    if ((flags & TAIL_BITS) !== 0) return false
    return this.#table.writePart(from, bytes, STRING_FORM.RAW, key.bytes, key.start, key.end, this.space)
  }

  /** Writes over all of the string that `editString` has just returned, or sets it anew where that can not be done in place. */
  overwrite(key: Span, view: ArenaView, bytes: Uint8Array, start: number, end: number): void {
    if (view.flags === STRING_FORM.NATURAL && this.#table.overwrite(view, bytes, start, end)) this.#remember(key, 0)
    else this.setString(key, bytes, start, end, view.expiresAtMs)
  }

  /** A collection, for reading. @throws ReplyError WRONGTYPE */
  read<Value extends Collection>(key: Span, kind: Kind<Value>): Value | undefined {
    const value = this.edit(key, kind)
    if (value) this.hits++
    else this.misses++
    return value
  }

  /** A collection that is going to be changed. @throws ReplyError WRONGTYPE */
  edit<Value extends Collection>(key: Span, kind: Kind<Value>): Value | undefined {
    const view = this.#table.get(key.bytes, key.start, key.end, this.space)
    this.#remember(key, view === undefined ? 0 : view.number)
    if (view === undefined) return undefined
    const value = this.#items.collection(view.number)
    if (value?.type !== kind.type) throw wrongType()
    return value as Value
  }

  /** A collection that is going to be changed; a new one, which has no elements yet, where there was none. */
  editOrNew<Value extends Collection>(key: Span, kind: Kind<Value>): Value {
    const present = this.edit(key, kind)
    if (present) return present
    const value = kind.create(this.limits)
    this.put(key, value)
    return value
  }

  /** Whatever collection a key holds, for commands that serve all types. `undefined`: a string, or nothing. */
  collection(key: Span): Collection | undefined {
    const view = this.#table.glance(key.bytes, key.start, key.end, this.space)
    this.#remember(key, view === undefined ? 0 : view.number)
    return view && this.#items.collection(view.number)
  }

  /** What a key holds, be it bytes or a collection, and when it expires, without counting as use. */
  peek(key: Span): Held | undefined {
    const view = this.#table.peek(key.bytes, key.start, key.end, this.space)
    if (view === undefined) return undefined
    const { expiresAtMs } = view
    const value = this.#items.collection(view.number)
    if (value) return { value, expiresAtMs }
    const form = (view.flags & 3) as StringForm
    if ((view.flags & TAIL_BITS) === 0) return { bytes: view.copy(), form, expiresAtMs }
    this.#marks.read(view)
    return { bytes: view.copy(), form, expiresAtMs, clientFlags: this.#marks.clientFlags }
  }

  /**
   * Puts a string in place of whatever the key held.
   *
   * @param form of STRING_FORM, with the bits of its marks
   * @param tail the bytes of its marks, which those bits announce
   * @throws ReplyError OOM, or when it is longer than the cache allows
   */
  setString(
    key: Span,
    bytes: Uint8Array,
    start: number,
    end: number,
    expiresAtMs: number = Number.POSITIVE_INFINITY,
    form: number = STRING_FORM.NATURAL,
    tail?: Uint8Array,
  ): void {
    const { cache } = this
    if (end - start + key.end - key.start > cache.itemBytesMax) {
      throw new ReplyError('string exceeds maximum allowed size (item-size-limit)')
    }
    const ttlMs = this.#ttlOf(expiresAtMs)
    const isNew = this.#isTold(key)
    this.#remember(key, 0)
    const stored =
      ttlMs > 0
        ? this.#table.setBytes(key.bytes, key.start, key.end, bytes, start, end, form, ttlMs, this.space, tail)
        : this.delete(key) || true
    if (!stored) throw outOfMemory()
    this.#tellRule(key, expiresAtMs, ttlMs)
    if (isNew && ttlMs > 0) this.#observer.created?.(this, key)
  }

  /** As `setString`, with the flags of a client of memcached; 0: none. @throws ReplyError as `setString` */
  setFlagged(
    key: Span,
    bytes: Uint8Array,
    clientFlags: number,
    expiresAtMs: number,
    form: number = STRING_FORM.NATURAL,
  ): void {
    const marks = this.#marks
    marks.start(clientFlags)
    const tail = marks.tail()
    this.setString(key, bytes, 0, bytes.length, expiresAtMs, form | marks.bits, tail)
  }

  /** Puts a collection in place of whatever the key held. @throws ReplyError OOM */
  put(key: Span, value: Collection, expiresAtMs: number = Number.POSITIVE_INFINITY): void {
    const ttlMs = this.#ttlOf(expiresAtMs)
    if (ttlMs <= 0) {
      this.delete(key)
      return
    }
    const isNew = this.#isTold(key)
    const number = this.#items.add(value)
    if (!this.#table.setReference(key.bytes, key.start, key.end, number, value.weight, ttlMs, this.space)) {
      this.#items.drop(number)
      throw outOfMemory()
    }
    this.#remember(key, number)
    this.#tellRule(key, expiresAtMs, ttlMs)
    this.fieldsExpire(key, value)
    if (isNew) this.#observer.created?.(this, key)
    if (this.#table.isAbove) this.#items.onHeavy()
  }

  /** When a key expires; Infinity: never; -1: there is no such key. */
  expiresAtMs(key: Span): number {
    return this.#table.glance(key.bytes, key.start, key.end, this.space)?.expiresAtMs ?? -1
  }

  /** Lets a key expire at a moment, which must lie ahead, or with Infinity never. Returns whether there is such a key. */
  setExpiry(key: Span, expiresAtMs: number): boolean {
    const ttlMs = Math.min(expiresAtMs - this.#time.nowMs, this.cache.maxTtlMs)
    this.#lastBytes = undefined
    const isThere = this.#table.expireAfter(ttlMs, key.bytes, key.start, key.end, this.space)
    if (isThere) this.#tellRule(key, expiresAtMs, ttlMs)
    return isThere
  }

  /** Removes a key. Returns whether it was there. Call `changed` after it. */
  delete(key: Span): boolean {
    this.#remember(key, 0)
    return this.#table.delete(key.bytes, key.start, key.end, this.space)
  }

  /** Says that a command has changed a key, by which event, as `notify-keyspace-events` names them. */
  changed(key: Span, event: string, eventClass: EventClass): void {
    this.changes++
    const number = this.#numberOf(key)
    this.#observer.changed(this, key, event, eventClass)
    if (number !== 0) this.#settle(key, number)
  }

  /** As `changed`, of what is no event and breaks no WATCH, such as who of a group has read what. */
  noted(key: Span): void {
    this.changes++
    const number = this.#numberOf(key)
    this.#observer.noted(this, key)
    if (number !== 0) this.#settle(key, number)
  }

  /** The collection of a key may have elements that expire: they will be cleared away. Call it when they get an earlier expiry. */
  fieldsExpire(key: Span, { nextExpiryMs = Number.POSITIVE_INFINITY }: Collection): void {
    if (nextExpiryMs === Number.POSITIVE_INFINITY) return
    const name = key.text()
    if (nextExpiryMs < this.#fieldExpiries.get(name)) this.#fieldExpiries.set(name, nextExpiryMs)
  }

  /** Removes up to so many elements of a key's collection whose time is over, and tells of it. Returns whether any are left. */
  removeExpired(key: Span, value: Collection, most?: number): boolean {
    const gone = value.removeExpired?.(this.#time.nowMs, most) ?? []
    const isLeft = value.size > 0
    if (gone.length > 0) {
      this.#observer.fieldsExpired?.(this, key, gone)
      this.changed(key, 'hexpired', 'h')
    }
    return isLeft
  }

  /** Clears away elements that have expired, in some collections. Returns whether there may be more to do. */
  clearFields(): boolean {
    const due = this.#fieldExpiries.take(this.#time.nowMs, COLLECTIONS_A_STEP)
    for (const name of due) {
      const key = Span.of(name)
      const value = this.collection(key)
      if (value && this.removeExpired(key, value, FIELDS_A_STEP)) this.fieldsExpire(key, value)
    }
    return due.length > 0
  }

  /** Removes all keys. What they took comes back by and by. */
  clear(): void {
    this.changes += this.size
    this.#lastBytes = undefined
    this.#items.giveSpace(this.space)
    this.space = this.#items.takeSpace()
    this.#items.publish(this.index, this.space)
    this.#fieldExpiries = new Deadlines()
    this.#observer.cleared(this)
  }

  /** Exchanges what this and another database hold: SWAPDB. */
  exchange(other: Keyspace): void {
    const { space } = this
    this.space = other.space
    other.space = space
    for (const { index, space } of [this, other]) this.#items.publish(index, space)
    const expiries = this.#fieldExpiries
    this.#fieldExpiries = other.#fieldExpiries
    other.#fieldExpiries = expiries
    this.#lastBytes = other.#lastBytes = undefined
    this.changes++
    other.changes++
    this.#observer.cleared(this)
    this.#observer.cleared(other)
  }

  /** The part of the arena that a key lies in: see `Cache.hold`. */
  stripeOf({ bytes, start, end }: Span): number {
    return this.#table.stripeOf(bytes, start, end, this.space)
  }

  /** Looks anew which space it is: of a cache of another thread, which has cleared or exchanged it. */
  follow(): void {
    this.space = this.#items.spaceOf(this.index)
    this.#lastBytes = undefined
  }

  /** Keys in steps: see `ArenaTable.scan`. A cursor that never was one ends the walk. */
  scan(cursor: number, count: number): { readonly cursor: number; readonly keys: readonly Uint8Array[] } {
    if (cursor >= this.#table.stripes * CURSORS_A_STRIPE) return { cursor: 0, keys: [] }
    return this.#table.scan(cursor, count, this.space)
  }

  /** All keys, with the promises of `scan`. */
  keys(): Generator<Uint8Array> {
    return this.#table.keys(this.space)
  }

  /** Some key, by chance (0 to below 1): RANDOMKEY. */
  someKey(chance: number): Uint8Array | undefined {
    return this.#table.someKey(chance, this.space)
  }

  /** Bytes that a key takes with what it holds; -1: there is none. MEMORY USAGE. */
  weightOf(key: Span): number {
    const { bytes, start, end } = key
    const value = this.collection(key)
    const weight = this.#table.weightOf(bytes, start, end, this.space)
    if (!value) return weight
    return weight + value.weight - this.#items.weightTold(this.#lastNumber)
  }

  /** Milliseconds since a key was last used, in whole seconds; -1: there is none. OBJECT IDLETIME. */
  idleMs(key: Span): number {
    return this.#table.idleMs(key.bytes, key.start, key.end, this.space)
  }

  /** How often a key was used of late, 0 to 255, under a policy that counts; -1: there is none. OBJECT FREQ. */
  frequency(key: Span): number {
    return this.#table.frequency(key.bytes, key.start, key.end, this.space)
  }

  /** Sets what `idleMs` or `frequency` tells: RESTORE, and files that are loaded. */
  setUse(key: Span, use: { readonly idleMs: number } | { readonly frequency: number }): void {
    this.#table.setUse(use, key.bytes, key.start, key.end, this.space)
  }

  /** Counts as use of a key, without reading it: TOUCH. Returns whether there is one. */
  touch(key: Span): boolean {
    return this.#table.get(key.bytes, key.start, key.end, this.space) !== undefined
  }

  /** @internal A key of this database left by itself. */
  left(key: Uint8Array, reason: 'expire' | 'evict'): void {
    this.#observer.left(this, new Span(Buffer.from(key.buffer, key.byteOffset, key.length)), reason)
  }

  /** Whether somebody wants to know that a key, which is about to be put, was not there. */
  #isTold(key: Span): boolean {
    return this.#observer.wantsCreated === true && this.typeOf(key) === undefined
  }

  #remember(key: Span, number: number): void {
    this.#lastBytes = key.bytes
    this.#lastStart = key.start
    this.#lastEnd = key.end
    this.#lastNumber = number
  }

  /** The number of a key's collection; 0: it has none. */
  #numberOf(key: Span): number {
    const known = key.bytes === this.#lastBytes && key.start === this.#lastStart && key.end === this.#lastEnd
    if (!known) this.collection(key)
    this.#lastBytes = undefined
    return this.#lastNumber
  }

  /** After a change of a collection: it is gone when it is empty, and weighs what it weighs. */
  #settle(key: Span, number: number): void {
    const value = this.#items.collection(number)
    if (value === undefined) return
    if (value.size === 0 && value.type !== 'stream') {
      this.delete(key)
      this.#lastBytes = undefined
      this.#observer.changed(this, key, 'del', 'g')
    } else if (this.#items.isOffWeight(number, value.weight)) {
      this.#table.reweigh(value.weight, key.bytes, key.start, key.end, this.space)
      if (this.#table.isAbove) this.#items.onHeavy()
    }
  }

  /** Says so when a key lives for another time than was asked for. */
  #tellRule(key: Span, expiresAtMs: number, ttlMs: number): void {
    const { nowMs } = this.#time
    if (ttlMs !== expiresAtMs - nowMs) this.#observer.expires?.(this, key, nowMs + ttlMs)
  }

  /** Milliseconds that a key may live, by what it was given and what the cache allows. */
  #ttlOf(expiresAtMs: number): number {
    const { defaultTtlMs, maxTtlMs } = this.cache
    const given = expiresAtMs === Number.POSITIVE_INFINITY ? defaultTtlMs : expiresAtMs - this.#time.nowMs
    return given < maxTtlMs ? given : maxTtlMs
  }
}
