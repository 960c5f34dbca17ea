import type { Clock } from '../../core/clock.ts'
import type { EventHub } from '../../core/event-hub.ts'
import { HeapTable } from '../../memory/heap-table.ts'
import type { PolicyFactory, RemovalReason } from '../../memory/policy.ts'
import type { PeerId } from '../link/link.ts'
import type { MapEvents } from '../map/map-events.ts'
import type { Operation } from './body.ts'
import { compareChanges, type Entry, type Ordered } from './entry.ts'
import { type HybridClock, type Timestamp, timeOf } from './hybrid-clock.ts'
import { Ledger } from './ledger.ts'
import { MapCounters } from './map-counters.ts'
import type { MapMode } from './map-mode.ts'
import { ReadMarks } from './read-marks.ts'
import { Unsent } from './unsent.ts'
import type { Values } from './values.ts'

/** What the maps of a process share. */
export interface MapSurroundings {
  readonly self: PeerId
  readonly clock: Clock
  readonly hybrid: HybridClock
  readonly values: Values
  readonly rememberMs: number
  readonly rememberedMax: number
  /** The hashes of all maps together. */
  readonly sum: Uint32Array
  /** Something of the map waits to be sent. */
  waits(map: MapState): void
  /** A large value was announced that is wanted here. */
  fetch(map: MapState, operation: Operation, origin: PeerId, from: PeerId): void
}

/** What the process wants of a map that it opens; a map that only peers have opened has none. */
export interface MapBounds {
  readonly maxEntries: number
  readonly maxWeight: number
  readonly policy: PolicyFactory | undefined
  readonly conflict: 'latest' | 'evict'
  readonly readWindowMs: number
}

/**
 * A map as one process has it: what it holds, what it knows, and what it still has to tell.
 *
 * How it works: each key has one last change, and the later of two changes wins: by version, then by peer, on every peer
 * alike, so changes may come twice and in any order. A local change takes the hybrid clock's time, and where the key's last
 * change is ahead of that (a peer's clock is wrong), one beyond it: who overwrites a change that it knows always wins.
 *
 * Shapiro, Preguiça, Baquero, Zawirski: Conflict-free Replicated Data Types (SSS 2011), the last-writer-wins register.
 */
export class MapState {
  readonly name: string
  readonly mode: MapMode
  readonly ledger: Ledger
  readonly unsent: Unsent = new Unsent()
  readonly counters: MapCounters = new MapCounters()
  readonly events: EventHub<MapEvents>
  readonly #around: MapSurroundings
  #table: HeapTable<Entry> | undefined
  #bounds: MapBounds | undefined
  #reads: ReadMarks | undefined

  constructor(name: string, mode: MapMode, around: MapSurroundings, events: EventHub<MapEvents>) {
    this.name = name
    this.mode = mode
    this.#around = around
    this.events = events
    const { rememberMs, rememberedMax, sum } = around
    this.ledger = new Ledger({ name, everything: mode.everything, rememberMs, rememberedMax, sum })
    // Who has not opened the map holds it only where every peer holds everything: it knows no bound.
    if (mode.everything) this.#table = this.#newTable(undefined)
  }

  /** Whether this process has opened the map. */
  get isOpen(): boolean {
    return this.#bounds !== undefined
  }

  open(bounds: MapBounds): void {
    this.#bounds = bounds
    this.#table ??= this.#newTable(bounds)
    if (bounds.readWindowMs > 0) this.#reads = new ReadMarks(this.#around.clock, bounds.readWindowMs)
  }

  get size(): number {
    return this.#table?.size ?? 0
  }

  get weight(): number {
    return this.#table?.weight ?? 0
  }

  get(key: string): unknown {
    const entry = this.#table!.get(key)
    if (entry === undefined) {
      this.counters.misses++
      return undefined
    }
    this.counters.hits++
    this.#reads?.note(key)
    return entry.form === 'ready' ? entry.value : this.read(entry)
  }

  has(key: string): boolean {
    return this.#table!.has(key)
  }

  /** The entries that are held, in no order. The map may change meanwhile. */
  entries(): IterableIterator<[key: string, entry: Entry]> {
    return this.#table!.entries()
  }

  keys(): IterableIterator<string> {
    return this.#table!.keys()
  }

  /** The value of an entry that is held. What cannot be decoded leaves. */
  read(entry: Entry): unknown {
    try {
      return this.#around.values.read(entry)
    } catch (error) {
      this.counters.decodeErrors++
      const { key, origin } = entry
      this.#table!.delete(key, 'invalidate')
      entry.release()
      this.ledger.left(entry, 'elsewhere', this.#nowMs())
      this.events.emit('decodeError', { key, origin, error })
      return undefined
    }
  }

  /** A local change: the key has this value. */
  set(key: string, value: unknown, lifeMs: number): void {
    const { values, self } = this.#around
    const sealed = values.seal(key, value)
    const entry = this.#change(key)
    values.put(entry, sealed)
    this.#hold(entry, lifeMs)
    this.ledger.count(entry, this.#nowMs())
    this.#tell(entry)
    if (this.events.ear('set').hears) this.events.emit('set', { key, origin: self, local: true })
  }

  /** A local change: the key has no value. Returns whether it was held here. */
  delete(key: string): boolean {
    const held = this.#table!.delete(key)
    // Where every peer holds everything, nobody else holds what is not held here.
    if (!held && this.mode.everything) return false
    const { self } = this.#around
    const entry = this.#change(key)
    entry.state = 'deleted'
    entry.release()
    this.ledger.count(entry, this.#nowMs())
    this.#tell(entry)
    if (held) this.events.emit('remove', { key, reason: 'delete', origin: self, local: true })
    return held
  }

  /** A local change: no key has a value. */
  clear(): void {
    const { hybrid, self } = this.#around
    const { mark } = this.ledger
    const version = Math.max(hybrid.now(), mark.version + 1)
    // The changes of a peer whose clock is ahead are overwritten one by one; to clear up to there would void all that comes next.
    for (const entry of [...this.ledger.entries()])
      if (entry.version >= version && entry.state === 'held') this.delete(entry.key)
    this.#clearUpTo(version, self)
    this.#tell(mark)
    this.events.emit('clear', { origin: self, local: true })
  }

  /**
   * Merges a change that a peer has told. `live`: as it happened; otherwise by repair, where it may be something that was
   * left here on purpose. `own`: its bytes may be kept as they are.
   */
  merge(operation: Operation, from: PeerId, live: boolean, own = false): void {
    const origin = operation.origin ?? from
    const change = { version: operation.version, origin }
    this.counters.received++
    if (live) this.counters.delays.add(this.#around.clock.wall() - timeOf(operation.version))
    if (operation.kind === 'clear') this.#mergeClear(change)
    else if (compareChanges(change, this.ledger.mark) > 0) this.#mergeKey(operation, change, from, live, own)
  }

  #mergeKey(operation: Operation, change: Ordered, from: PeerId, live: boolean, own: boolean): void {
    const { origin } = change
    const entry = this.ledger.find(operation.key)
    const order = entry ? this.#order(operation, change, entry) : 1
    if (entry && order <= 0) {
      if (this.#isConcurrent(change, entry, entry.base)) this.#conflict(entry, entry.origin, origin)
      return
    }
    if (!entry && !live && !this.mode.everything && operation.version <= this.ledger.floor) return
    if (operation.kind === 'announce' && this.#wants(entry)) {
      this.#around.fetch(this, operation, origin, from)
      return
    }
    this.counters.applied++
    if (!live) this.counters.repaired++
    const loser = entry && this.#isConcurrent(entry, change, operation.base) ? entry.origin : undefined
    this.#take(entry ?? this.ledger.open(operation.key), operation, change, own)
    if (loser !== undefined) this.#conflict(this.ledger.find(operation.key), origin, loser)
  }

  /** What an announced value that could not be fetched leaves behind: in a map that peers hold in part, nobody may read the older one. */
  mergeUnfetched(operation: Operation, from: PeerId): void {
    this.counters.fetchFailures++
    if (!this.mode.everything) this.merge({ ...operation, kind: 'void' }, from, false)
  }

  /** Drops every copy, and forgets what is known and what was to be told. */
  wipe(): void {
    this.#table?.clear()
    for (const entry of this.ledger.entries()) entry.release()
    this.ledger.clear()
    this.unsent.clear()
    this.events.emit('reset', { reason: 'away' })
  }

  /**
   * Drops the copies that are held, because somebody asked for that. Of a map of which every peer holds everything, they are forgotten, so that
   * comparing states brings them again; what is still to be told stays.
   */
  drop(): void {
    if (!this.mode.everything) {
      this.void('asked')
      return
    }
    for (const [, entry] of [...(this.#table?.entries() ?? [])]) {
      if (this.unsent.has(entry)) continue
      this.ledger.forget(entry)
      this.#letGo(entry, 'elsewhere')
    }
    this.events.emit('reset', { reason: 'asked' })
  }

  /** Drops the copies that are held. What is known stays: nothing that is older comes back. */
  void(reason: 'away' | 'asked'): void {
    const nowMs = this.#nowMs()
    for (const [key, entry] of [...(this.#table?.entries() ?? [])]) {
      this.#table!.delete(key)
      entry.release()
      this.ledger.left(entry, 'elsewhere', nowMs)
    }
    this.events.emit('reset', { reason })
  }

  /** Forgets what is due. */
  sweep(nowMs: number): void {
    this.ledger.sweep(nowMs)
    this.#reads?.sweep()
  }

  /** Makes the entry ready for a local change. */
  #change(key: string): Entry {
    const { hybrid, self } = this.#around
    const { ledger } = this
    const now = hybrid.now()
    const entry = ledger.find(key) ?? ledger.open(key)
    ledger.uncount(entry)
    const known = Math.max(entry.version, ledger.mark.version)
    entry.follows = entry.version > 0
    // What peers know of an unsent change of ours is what was there before.
    if (entry.origin !== self || !this.unsent.has(entry))
      entry.base = this.mode.everything || entry.version > 0 ? known : Number.POSITIVE_INFINITY
    entry.version = Math.max(now, known + 1, entry.version > 0 ? 0 : ledger.floor + 1)
    entry.origin = self
    this.counters.written++
    return entry
  }

  #tell(entry: Entry): void {
    this.unsent.add(entry)
    this.#around.waits(this)
  }

  #hold(entry: Entry, lifeMs: number): void {
    entry.state = 'held'
    const weight = ENTRY_BYTES + entry.key.length + (entry.bytes?.length ?? sizeOf(entry.value))
    entry.endsAtMs = lifeMs === Number.POSITIVE_INFINITY ? lifeMs : this.#nowMs() + lifeMs
    if (this.#table!.set(entry.key, entry, { ttlMs: lifeMs, weight: this.#isWeighed ? weight : 1 })) return
    entry.state = 'elsewhere'
    entry.release()
  }

  get #isWeighed(): boolean {
    return (this.#bounds?.maxWeight ?? Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY
  }

  /** Whether what came is later than what is known: above 0. */
  #order(operation: Operation, change: Ordered, entry: Entry): number {
    const order = compareChanges(change, entry)
    if (order !== 0) return order
    if (operation.kind === 'delete') return entry.state === 'deleted' ? 0 : 1
    // The same change, whose value did not come before.
    return operation.kind === 'set' && this.mode.everything && entry.state === 'elsewhere' ? 1 : 0
  }

  /** Whether `later` was made without knowledge of `earlier`. */
  #isConcurrent(earlier: Ordered, later: Ordered, base: Timestamp): boolean {
    return base < earlier.version && earlier.origin !== later.origin && earlier.version > 0
  }

  #wants(entry: Entry | undefined): boolean {
    if (this.mode.sync === 'full') return this.#table !== undefined
    return this.mode.sync === 'part' && entry?.state === 'held' && entry.endsAtMs > this.#nowMs()
  }

  #take(entry: Entry, operation: Operation, { version, origin }: Ordered, own: boolean): void {
    const wasHeld = entry.state === 'held'
    const keeps = operation.kind === 'set' && this.#wants(entry)
    this.ledger.uncount(entry)
    entry.follows = entry.version > 0 || operation.base > 0
    entry.version = version
    entry.origin = origin
    entry.base = operation.base
    if (keeps) {
      this.#around.values.putEncoded(entry, operation.bytes!, own)
      this.#hold(entry, operation.lifeMs)
    } else this.#letGo(entry, operation.kind === 'delete' ? 'deleted' : 'elsewhere')
    this.ledger.count(entry, this.#nowMs(), operation.memoryMs)
    this.#tellTaken(entry, wasHeld)
  }

  #tellTaken(entry: Entry, wasHeld: boolean): void {
    const { key, origin, state } = entry
    const reason = state === 'held' ? 'set' : state === 'deleted' ? 'delete' : 'invalidate'
    const local = false
    if (reason === 'set') {
      if (this.events.ear('set').hears) this.events.emit('set', { key, origin, local })
    } else if (wasHeld) this.events.emit('remove', { key, reason, origin, local })
    const readAgoMs = this.#reads?.take(key)
    if (readAgoMs !== undefined) this.events.emit('overtaken', { key, readAgoMs, reason, origin })
  }

  #conflict(entry: Entry | undefined, winner: PeerId, loser: PeerId): void {
    this.counters.conflicts++
    const policy = this.#bounds?.conflict ?? 'latest'
    if (entry && policy === 'evict' && entry.state !== 'deleted') {
      this.ledger.uncount(entry)
      const wasHeld = entry.state === 'held'
      this.#letGo(entry, 'deleted')
      this.ledger.count(entry, this.#nowMs())
      // Those whose changes met tell the others, who may have seen one of the two only.
      const { self } = this.#around
      if (winner === self || loser === self) this.#tell(entry)
      if (wasHeld) this.events.emit('remove', { key: entry.key, reason: 'invalidate', origin: winner, local: false })
    }
    if (entry) this.events.emit('conflict', { key: entry.key, winner, loser, policy })
  }

  #mergeClear(change: Ordered): void {
    if (compareChanges(change, this.ledger.mark) <= 0) return
    this.counters.applied++
    this.#clearUpTo(change.version, change.origin)
    this.events.emit('clear', { origin: change.origin, local: false })
  }

  #clearUpTo(version: Timestamp, origin: PeerId): void {
    for (const entry of this.ledger.clearUpTo(version, origin)) {
      this.#letGo(entry, 'deleted')
    }
  }

  /**
   * Lets a value go because of a change. The entry is not counted meanwhile, and has its new state before the table is told: one whose life has
   * ended and was not collected yet would be taken for expired now.
   */
  #letGo(entry: Entry, state: 'deleted' | 'elsewhere'): void {
    const wasHeld = entry.state === 'held'
    entry.state = state
    if (wasHeld) this.#table!.delete(entry.key, 'invalidate')
    entry.release()
  }

  #newTable(bounds: MapBounds | undefined): HeapTable<Entry> {
    const { clock } = this.#around
    const maxEntries = bounds?.maxEntries ?? Number.POSITIVE_INFINITY
    const maxWeight = bounds?.maxWeight ?? Number.POSITIVE_INFINITY
    return new HeapTable<Entry>({
      clock,
      ...(maxEntries < Number.POSITIVE_INFINITY && { maxEntries }),
      // A table needs a bound: that of a map without one is out of reach.
      ...(maxWeight < Number.POSITIVE_INFINITY
        ? { maxWeight }
        : maxEntries === Number.POSITIVE_INFINITY && { maxWeight: Number.MAX_SAFE_INTEGER }),
      ...(bounds?.policy && { policy: bounds.policy }),
      onRemove: (key, entry, reason) => this.#onRemove(key, entry, reason),
    })
  }

  /** The table let a value go by itself. */
  #onRemove(key: string, entry: Entry, reason: RemovalReason): void {
    if ((reason !== 'evict' && reason !== 'expire') || entry.state !== 'held' || this.#table!.peek(key) === entry)
      return
    if (reason === 'evict') this.counters.evictions++
    else this.counters.expirations++
    entry.release()
    this.ledger.left(entry, reason === 'evict' ? 'elsewhere' : 'expired', this.#nowMs())
    this.events.emit('remove', { key, reason, origin: this.#around.self, local: true })
  }

  #nowMs(): number {
    return this.#around.clock.monotonic()
  }
}

/** What an entry takes besides its key and value, about. */
const ENTRY_BYTES = 96

/** Of values that are kept without their encoding. */
function sizeOf(value: unknown): number {
  return typeof value === 'string' ? value.length : 8
}
