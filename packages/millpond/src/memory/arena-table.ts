/** A table of bytes outside the heap that all threads of a process may share. */
import { OptionError, ValueError } from '../core/errors.ts'
import { ArenaClock } from './arena-clock.ts'
import { ArenaCore } from './arena-core.ts'
import { copyInto, extraUnitsOf, isReference, keyLengthOf, readItem, unitsOf, valueLengthOf } from './arena-item.ts'
import { type ArenaKey, ArenaKeyReader } from './arena-key.ts'
import { CHUNK, CHUNK_USE, HEAD_BYTES_USE, REFERENCE, TABLE } from './arena-layout.ts'
import { makeMemory, namesOf, policiesOf } from './arena-make.ts'
import { ArenaMemory } from './arena-memory.ts'
import type { ArenaHandle, ArenaLife, ArenaTableOptions, ArenaThreadOptions } from './arena-options.ts'
import { ArenaRemovals } from './arena-removals.ts'
import type { ArenaStripe } from './arena-stripe.ts'
import { ArenaUpkeep } from './arena-upkeep.ts'
import { fadedFrequency, frequencyWord } from './arena-use.ts'
import { ArenaView } from './arena-view.ts'
import { ArenaWriter } from './arena-writer.ts'
import type { PolicyFactory, RemovalReason } from './policy.ts'

/** Values up to this are copied into the view's own bytes; a longer one that cannot be shown in place gets bytes of its own. */
const SCRATCH_BYTES = 64 * 1024

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
export class ArenaTable extends ArenaUpkeep {
  readonly #core: ArenaCore
  readonly #memory: ArenaMemory
  readonly #policies: readonly PolicyFactory[]
  readonly #key: ArenaKeyReader
  readonly #text: ArenaKeyReader
  readonly #writer: ArenaWriter
  readonly #view = new ArenaView()
  #scratch = new Uint8Array(0)

  constructor(options: ArenaTableOptions | { readonly memory: ArenaMemory; readonly thread: ArenaThreadOptions }) {
    const { memory, thread } = 'memory' in options ? options : { memory: makeMemory(options), thread: options }
    const policies = policiesOf(thread)
    const core = new ArenaCore(memory, policies, new ArenaClock(thread.clock), new ArenaRemovals(thread))
    super(core, policies)
    this.#core = core
    this.#memory = memory
    this.#policies = policies
    if (!('memory' in options)) this.#core.pages.reset()
    this.#key = new ArenaKeyReader(memory.words[TABLE.SEED_0]!, memory.words[TABLE.SEED_1]!)
    this.#text = new ArenaKeyReader(0, 0)
    this.#writer = new ArenaWriter(this.#core)
  }

  /** Opens the table of another thread. Give `policy` if that table was made with one. */
  static open(handle: ArenaHandle, options: ArenaThreadOptions = {}): ArenaTable {
    const name = namesOf(policiesOf(options))
    if (handle.policy !== name) {
      throw new OptionError('policy', name, `the table that was shared uses ${handle.policy}: pass the same`)
    }
    const table = new ArenaTable({ memory: ArenaMemory.attach(handle.buffer), thread: options })
    table.#core.join()
    return table
  }

  /** Lets other threads use this table. From here on each call takes a lock, and views are copies. */
  share(): ArenaHandle {
    const { buffer } = this.#memory
    if (!(buffer instanceof SharedArrayBuffer)) {
      throw new OptionError('own', true, 'make the table without `own` if other threads are to use it')
    }
    this.#core.join()
    return { buffer, policy: namesOf(this.#policies) }
  }

  /** Ends this thread's use of the table; other threads go on. A call after it throws `ClosedError`. */
  close(): void {
    this.#core.part()
  }

  /** The value of a key, as a view that lasts until the next call of this table; `undefined`: there is none. */
  get(key: ArenaKey, start?: number, end?: number, space = 0): ArenaView | undefined {
    return this.#read(key, start, end, space, true)
  }

  /** As `get`, but does not count as use. */
  peek(key: ArenaKey, start?: number, end?: number, space = 0): ArenaView | undefined {
    return this.#read(key, start, end, space, false)
  }

  /** As `peek`, without the bytes: length, flags, number and expiry, however long the value is. */
  glance(key: ArenaKey, start?: number, end?: number, space = 0): ArenaView | undefined {
    return this.#at(key, start, end, space, (stripe, ref) => this.#describe(stripe, ref))
  }

  /**
   * Reads a part of a value: `length` bytes from `from` on, as far as there are so many, to the beginning of `target`.
   * Returns the length of the whole; -1: there is none.
   */
  readPart(
    target: Uint8Array,
    from: number,
    length: number,
    key: ArenaKey,
    start?: number,
    end?: number,
    space = 0,
  ): number {
    const read = (stripe: ArenaStripe, ref: number): number => {
      const whole = this.#describe(stripe, ref).end
      const part = Math.min(length, whole - from)
      if (part > 0) readItem(this.#memory, ref, keyLengthOf(this.#memory, ref) + from, target, 0, part)
      return whole
    }
    return this.#at(key, start, end, space, read) ?? -1
  }

  /** Writes over a part of a value, from `from` on. `false`, and nothing was done: there is none, or it is shorter. Its expiry stays. */
  writePart(
    from: number,
    bytes: Uint8Array,
    flags: number,
    key: ArenaKey,
    start?: number,
    end?: number,
    space = 0,
  ): boolean {
    const write = (stripe: ArenaStripe, ref: number): boolean => {
      if (from + bytes.length > this.#describe(stripe, ref).end) return false
      this.#writer.patch(stripe, ref, from, bytes, flags)
      return true
    }
    return this.#at(key, start, end, space, write) ?? false
  }

  /** Writes over all of the value that the last `get` showed, in as many bytes. `false`: it was shown a copy, so set it anew. */
  overwrite(view: ArenaView, bytes: Uint8Array, start: number, end: number): boolean {
    const target = this.#memory.bytes
    if (this.#core.shared || view.bytes !== target || end - start !== view.length) return false
    copyInto(this.#memory, view.start, bytes, start, end - start)
    return true
  }

  /**
   * Copies the value of a key into `target` from `at` on, if it fits there, and returns the value's length; -1: there is
   * none. A length above `target.length - at` says that nothing was copied.
   */
  copyTo(target: Uint8Array, at: number, key: ArenaKey, start?: number, end?: number, space = 0): number {
    this.#key.aim(key, start, end, space)
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      const ref = this.#core.find(stripe, this.#key)
      if (ref === 0) return -1
      this.#core.use(stripe, ref)
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
  has(key: ArenaKey, start?: number, end?: number, space = 0): boolean {
    return this.#at(key, start, end, space, () => true) ?? false
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

  /** As `set`, with parts of longer bytes for key and value: allocates nothing. `tail`: bytes that end the value, and lie elsewhere. */
  setBytes(
    key: ArenaKey,
    keyStart: number | undefined,
    keyEnd: number | undefined,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    flags = 0,
    ttlMs: number = Number.POSITIVE_INFINITY,
    space = 0,
    tail?: Uint8Array,
  ): boolean {
    this.#key.aim(key, keyStart, keyEnd, space)
    checkValue(value, valueStart, valueEnd)
    const expiresAtMs = this.#expiryAfter(ttlMs)
    if (!this.#mayHold(valueEnd - valueStart + (tail === undefined ? 0 : tail.length))) {
      this.#remove('replace')
      return false
    }
    // What lies in the arena may be freed, and overwritten, while room is made for it.
    if (value.buffer === this.#memory.buffer) {
      this.#writer.aim(value.slice(valueStart, valueEnd), 0, valueEnd - valueStart, flags, expiresAtMs)
    } else {
      this.#writer.aim(value, valueStart, valueEnd, flags, expiresAtMs)
    }
    if (tail !== undefined) this.#writer.aimTail(tail)
    return this.#write()
  }

  /**
   * As `setBytes`, for an object that the caller keeps under a number above 0: the table knows its key, weight, use and
   * expiry, and says by `onRelease` when it has let go of it. Where threads share the table only one may have objects, and
   * the others are told by their own `onRelease` what they have removed: they must pass it on.
   *
   * @param weight bytes that the object takes, which count as the table's: see `reweigh`
   */
  setReference(
    key: ArenaKey,
    keyStart: number | undefined,
    keyEnd: number | undefined,
    number: number,
    weight: number,
    ttlMs: number = Number.POSITIVE_INFINITY,
    space = 0,
  ): boolean {
    this.#key.aim(key, keyStart, keyEnd, space)
    const expiresAtMs = this.#expiryAfter(ttlMs)
    if (!this.#mayHold(0)) return false
    this.#writer.aimReference(number, Math.ceil(weight / 16), expiresAtMs)
    return this.#write()
  }

  /** The object that a key refers to weighs something else now. Returns whether there is such an entry. */
  reweigh(weight: number, key: ArenaKey, start?: number, end?: number, space = 0): boolean {
    const units = Math.ceil(weight / 16)
    return (
      this.#at(key, start, end, space, (stripe, ref) => {
        const refers = isReference(this.#memory, ref)
        if (refers && extraUnitsOf(this.#memory, ref) !== units) stripe.weigh(ref, units)
        return refers
      }) ?? false
    )
  }

  /** Bytes that an entry takes: key, value and head as they are kept, and the object that it refers to; -1: there is none. */
  weightOf(key: ArenaKey, start?: number, end?: number, space = 0): number {
    const weight = (_: ArenaStripe, ref: number) => unitsOf(this.#memory, ref) + extraUnitsOf(this.#memory, ref)
    return (this.#at(key, start, end, space, weight) ?? -1 / 16) * 16
  }

  /** Milliseconds since a key was last used, in whole seconds; -1: it has no value. In a table that keeps uses, by time. */
  idleMs(key: ArenaKey, start?: number, end?: number, space = 0): number {
    const second = this.#useOf(key, start, end, space)
    const nowSecond = Math.floor(this.#core.clock.nowMs() / 1000)
    return second === undefined ? -1 : Math.max(0, nowSecond - (second >>> 0)) * 1000
  }

  /** How often a key was used of late, from 0 to 255, growing ever slower; -1: it has no value. In a table that counts uses. */
  frequency(key: ArenaKey, start?: number, end?: number, space = 0): number {
    const word = this.#useOf(key, start, end, space)
    if (word === undefined) return -1
    return this.#core.pace ? fadedFrequency(word, this.#core.clock.nowMs(), this.#core.pace) : 0
  }

  /** Says how long a key was not used, or how often it was, in place of what the table has seen. */
  setUse(
    use: { idleMs: number } | { frequency: number },
    key: ArenaKey,
    start?: number,
    end?: number,
    space = 0,
  ): void {
    const nowMs = this.#core.clock.nowMs()
    this.#at(key, start, end, space, (_, ref) => {
      if (this.#memory.headBytes < HEAD_BYTES_USE) return
      this.#memory.words[ref * 4 + CHUNK_USE] =
        'idleMs' in use ? Math.floor((nowMs - use.idleMs) / 1000) : frequencyWord(nowMs, use.frequency)
    })
  }

  /** Removes a key. Returns whether it had a value. */
  delete(key: ArenaKey, start?: number, end?: number, space = 0): boolean {
    this.#key.aim(key, start, end, space)
    return this.#remove('delete')
  }

  /**
   * Gives a key another time to live, from now; Infinity: for ever. Returns whether the key has a value.
   *
   * @throws OptionError when `ttlMs` is not above 0
   */
  expireAfter(ttlMs: number, key: ArenaKey, start?: number, end?: number, space = 0): boolean {
    const expiresAtMs = this.#expiryAfter(ttlMs)
    this.#key.aim(key, start, end, space)
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      const columns = expiresAtMs === Number.POSITIVE_INFINITY || stripe.hasExpiries
      if (this.#core.find(stripe, this.#key) === 0) return false
      // Growing may move or evict the item: it is looked up again.
      const roomy = columns || this.#core.room.rehome(stripe, stripe.grownShape(true))
      const ref = this.#core.find(stripe, this.#key)
      if (ref === 0) return false
      if (roomy) stripe.setExpiry(ref, expiresAtMs)
      else if (!this.#core.sparing) this.#core.remove(stripe, stripe.slotOf(ref), 'evict')
      return roomy
    } finally {
      this.#core.exit(stripe)
    }
  }

  /** Milliseconds until a key expires; Infinity: never; -1: it has no value. */
  remainingMs(key: ArenaKey, start?: number, end?: number, space = 0): number {
    const rest = this.#at(key, start, end, space, (stripe, ref) =>
      stripe.hasExpiry(ref)
        ? stripe.expiresAtMs(stripe.slotOf(ref)) - this.#core.clock.nowMs()
        : Number.POSITIVE_INFINITY,
    )
    return rest === undefined ? -1 : Math.max(0, rest)
  }

  #read(
    key: ArenaKey,
    start: number | undefined,
    end: number | undefined,
    space: number,
    use: boolean,
  ): ArenaView | undefined {
    this.#key.aim(key, start, end, space)
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      const ref = this.#core.find(stripe, this.#key)
      if (ref === 0) return undefined
      if (use) this.#core.use(stripe, ref)
      this.#show(stripe, ref)
      return this.#view
    } finally {
      this.#core.exit(stripe)
    }
  }

  #show(stripe: ArenaStripe, ref: number): void {
    const view = this.#describe(stripe, ref)
    const memory = this.#memory
    const keyLength = keyLengthOf(memory, ref)
    const length = view.end
    if (!this.#core.shared && memory.words[ref * 4 + CHUNK.NEXT] === 0) {
      view.bytes = memory.bytes
      view.start = ref * 16 + memory.headBytes + keyLength
      view.end = view.start + length
    } else {
      view.bytes = this.#room(length)
      readItem(memory, ref, keyLength, view.bytes, 0, length)
    }
  }

  /** The view of an item, without its bytes. */
  #describe(stripe: ArenaStripe, ref: number): ArenaView {
    const view = this.#view
    const { words } = this.#memory
    const keyWord = words[ref * 4 + CHUNK.KEY_LENGTH]!
    const refers = (keyWord & REFERENCE) !== 0
    view.flags = refers ? 0 : words[ref * 4 + CHUNK.FLAGS]!
    view.number = refers ? words[ref * 4 + CHUNK.FLAGS]! : 0
    view.expiresAtMs = keyWord < 0 ? stripe.expiresAtMs(stripe.slotOf(ref)) : Number.POSITIVE_INFINITY
    view.bytes = NO_BYTES
    view.start = 0
    view.end = refers ? 0 : words[ref * 4 + CHUNK.VALUE_LENGTH]!
    return view
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
    space: number,
    found: (stripe: ArenaStripe, ref: number) => R,
  ): R | undefined {
    this.#key.aim(key, start, end, space)
    const stripe = this.#core.enterOf(this.#key.hash)
    try {
      const ref = this.#core.find(stripe, this.#key)
      return ref === 0 ? undefined : found(stripe, ref)
    } finally {
      this.#core.exit(stripe)
    }
  }

  #useOf(key: ArenaKey, start: number | undefined, end: number | undefined, space: number): number | undefined {
    if (this.#memory.headBytes < HEAD_BYTES_USE) return undefined
    return this.#at(key, start, end, space, (_, ref) => this.#memory.words[ref * 4 + CHUNK_USE]!)
  }

  /** Whether an item of this key with a value of so many bytes is allowed. */
  #mayHold(valueBytes: number): boolean {
    return this.#key.word >= 0 && this.#key.length + valueBytes <= this.#memory.words[TABLE.ITEM_BYTES_MAX]!
  }

  #write(): boolean {
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
}

const NO_BYTES = new Uint8Array(0)

function checkValue(value: Uint8Array, start: number, end: number): void {
  if (!(value instanceof Uint8Array)) throw new ValueError(undefined, 'an arena-table keeps bytes: give a Uint8Array')
  if (!(start >= 0 && start <= end && end <= value.length)) {
    throw new ValueError(undefined, `bytes ${start} to ${end} are not inside the ${value.length} that were given`)
  }
}
