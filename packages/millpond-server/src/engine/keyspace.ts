/** One database of a cache: keys, what they hold, and when they expire. */
import { ArenaTable, type ArenaView, type RemovalReason } from 'millpond/memory'
import { EncodingLimits } from './encoding-limits.ts'
import { outOfMemory, wrongType } from './errors.ts'
import { Span } from './span.ts'
import type { EngineTime } from './time.ts'
import type { Collection, Kind, ValueType } from './value.ts'

/** What happened to a key, by the letters of `notify-keyspace-events`: generic, string, list, set, hash, zset, stream, expired, evicted. */
export type EventClass = 'g' | '$' | 'l' | 's' | 'h' | 'z' | 't' | 'x' | 'e'

/** Who is told what happens in a keyspace: transactions that watch, tracking, keyspace events, the log. */
export interface KeyspaceObserver {
  /** A key has got another value or expiry, or is gone. `key` says something only during the call. */
  changed(keyspace: Keyspace, key: Span, event: string, eventClass: EventClass): void
  /** Something of a key has changed that is no event and that nobody watches: only the log must know. */
  noted(keyspace: Keyspace): void
  /** A key left by itself: its time was over, or room was needed. */
  left(keyspace: Keyspace, key: Span, reason: 'expire' | 'evict'): void
  /** All keys are gone. */
  cleared(keyspace: Keyspace): void
}

/** In an item's flags: 0 for a string, this for a collection, whose number is the item's value. */
const COLLECTION = 1

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
  /** By which collections know their encoding. */
  readonly limits: EncodingLimits
  /** Changes since the start: `rdb_changes_since_last_save` and what must be logged are told by it. */
  changes = 0
  hits = 0
  misses = 0
  readonly #table: ArenaTable
  readonly #time: EngineTime
  readonly #observer: KeyspaceObserver
  readonly #collections = new Map<number, Collection>()
  #lastNumber = 0
  readonly #number: Buffer = Buffer.alloc(4)

  constructor(
    index: number,
    bytesMax: number,
    time: EngineTime,
    observer: KeyspaceObserver,
    limits: EncodingLimits = new EncodingLimits(),
  ) {
    this.index = index
    this.limits = limits
    this.#time = time
    this.#observer = observer
    this.#table = new ArenaTable({
      maxWeight: bytesMax,
      clock: time,
      onRemove: (key, reason) => this.#removed(new Span(Buffer.from(key)), reason),
    })
  }

  /** Number of keys, with those that have expired and were not yet cleared away. */
  get size(): number {
    return this.#table.size
  }

  /** What a key holds; `undefined`: nothing. */
  typeOf(key: Span): ValueType | undefined {
    const view = this.#table.peek(key.bytes, key.start, key.end)
    return view && (this.#collectionOf(view)?.type ?? 'string')
  }

  /** The bytes of a string, for reading. @throws ReplyError WRONGTYPE */
  readString(key: Span): ArenaView | undefined {
    const view = this.#table.get(key.bytes, key.start, key.end)
    if (view === undefined) {
      this.misses++
      return undefined
    }
    this.hits++
    if (view.flags === COLLECTION) throw wrongType()
    return view
  }

  /** The bytes of a string that is going to be changed. @throws ReplyError WRONGTYPE */
  editString(key: Span): ArenaView | undefined {
    const view = this.#table.get(key.bytes, key.start, key.end)
    if (view?.flags === COLLECTION) throw wrongType()
    return view
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
    const view = this.#table.get(key.bytes, key.start, key.end)
    if (view === undefined) return undefined
    const value = this.#collectionOf(view)
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
    const view = this.#table.peek(key.bytes, key.start, key.end)
    return view && this.#collectionOf(view)
  }

  /** Puts a string in place of whatever the key held. @throws ReplyError OOM */
  setString(
    key: Span,
    bytes: Uint8Array,
    start: number,
    end: number,
    expiresAtMs: number = Number.POSITIVE_INFINITY,
  ): void {
    this.#store(key, bytes, start, end, 0, expiresAtMs)
  }

  /** Puts a collection in place of whatever the key held. @throws ReplyError OOM */
  put(key: Span, value: Collection, expiresAtMs: number = Number.POSITIVE_INFINITY): void {
    this.#number.writeInt32LE(++this.#lastNumber)
    this.#collections.set(this.#lastNumber, value)
    this.#store(key, this.#number, 0, 4, COLLECTION, expiresAtMs)
  }

  /** When a key expires; Infinity: never; -1: there is no such key. */
  expiresAtMs(key: Span): number {
    return this.#table.peek(key.bytes, key.start, key.end)?.expiresAtMs ?? -1
  }

  /** Lets a key expire at a moment, which must lie ahead, or with Infinity never. Returns whether there is such a key. */
  setExpiry(key: Span, expiresAtMs: number): boolean {
    return this.#table.expireAfter(expiresAtMs - this.#time.nowMs, key.bytes, key.start, key.end)
  }

  /** Removes a key. Returns whether it was there. Call `changed` after it. */
  delete(key: Span): boolean {
    return this.#table.delete(key.bytes, key.start, key.end)
  }

  /** Says that a command has changed a key, by which event, as `notify-keyspace-events` names them. */
  changed(key: Span, event: string, eventClass: EventClass): void {
    this.changes++
    this.#observer.changed(this, key, event, eventClass)
    const value = this.collection(key)
    if (value?.size === 0 && value.type !== 'stream') {
      this.delete(key)
      this.#observer.changed(this, key, 'del', 'g')
    }
  }

  /** As `changed`, of what is no event and breaks no WATCH, such as who of a group has read what. */
  noted(_key: Span): void {
    this.changes++
    this.#observer.noted(this)
  }

  /** Removes all keys. */
  clear(): void {
    this.changes += this.size
    this.#table.clear()
    this.#collections.clear()
    this.#observer.cleared(this)
  }

  /** Keys in steps: see `ArenaTable.scan`. */
  scan(cursor: number, count: number): { readonly cursor: number; readonly keys: readonly Uint8Array[] } {
    return this.#table.scan(cursor, count)
  }

  #collectionOf(view: ArenaView): Collection | undefined {
    if (view.flags !== COLLECTION) return undefined
    return this.#collections.get(Buffer.from(view.bytes.buffer, view.bytes.byteOffset + view.start, 4).readInt32LE())
  }

  #store(key: Span, bytes: Uint8Array, start: number, end: number, flags: number, expiresAtMs: number): void {
    const ttlMs = expiresAtMs - this.#time.nowMs
    const { bytes: keyBytes, start: keyStart, end: keyEnd } = key
    if (!this.#table.setBytes(keyBytes, keyStart, keyEnd, bytes, start, end, flags, ttlMs)) throw outOfMemory()
  }

  #removed(key: Span, reason: RemovalReason): void {
    if (reason === 'expire' || reason === 'evict') this.#observer.left(this, key, reason)
  }
}
