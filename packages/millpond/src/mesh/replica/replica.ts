import type { Clock } from '../../core/clock.ts'
import { MeshError, ValueError } from '../../core/errors.ts'
import type { EventHub } from '../../core/event-hub.ts'
import type { Link, LinkStream, PeerId } from '../link/link.ts'
import type { Repairable } from '../link/repairable.ts'
import type { MapEvents } from '../map/map-events.ts'
import { BodyReader, BodyWriter } from './body.ts'
import { BUCKETS } from './buckets.ts'
import { Drafts, ROOM_BYTES } from './drafts.ts'
import { HybridClock, timestampOf } from './hybrid-clock.ts'
import { LargeValues } from './large-values.ts'
import { type MapMode, modeByte, modeOf } from './map-mode.ts'
import { type MapBounds, MapState, type MapSurroundings } from './map-state.ts'
import { OPERATIONS, Sender } from './sender.ts'
import { type ValueCodec, Values } from './values.ts'

export interface ReplicaOptions {
  readonly link: Link
  readonly clock: Clock
  readonly codec: ValueCodec
  /** Runs something at the end of this turn of the event loop. */
  readonly defer: (run: () => void) => void
  /** Opens a stream to the `serve` of a peer's replica. */
  readonly connect: (to: PeerId) => Promise<LinkStream>
  readonly eventsOf: (map: string) => EventHub<MapEvents>
  /** A peer's clock is so much ahead of the own wall that it is not followed. */
  readonly onDrift: (peer: PeerId, aheadMs: number) => void
  readonly driftMsMax: number
  /** How long deletions are remembered. */
  readonly rememberMs: number
  /** How many changes that left nothing behind are remembered in each map. */
  readonly rememberedMax: number
  readonly valueBytesMax: number
}

/**
 * All maps as one process has them. What is set here goes out by the link, what comes in is merged, and the whole can be compared
 * and repaired. A map that only peers have opened is known here too: whole where every peer holds everything, and otherwise only
 * what changed of late. So a map is not empty when it is opened, and states can be equal.
 */
export class Replica implements Repairable {
  readonly buckets: number = BUCKETS
  readonly maps: Map<string, MapState> = new Map()
  readonly sender: Sender
  /** Bodies of messages that could not be read. */
  malformed = 0
  readonly #options: ReplicaOptions
  readonly #around: MapSurroundings
  readonly #values: Values
  readonly #large: LargeValues
  readonly #reader = new BodyReader()
  /** The hashes of all maps: a process may have thousands, and is asked for them with each digest. */
  readonly #sum = new Uint32Array(BUCKETS * 2)
  readonly #heardAtMs = new Map<PeerId, number>()
  readonly #mismatched = new Set<string>()
  #sweep: { cancel(): void } | undefined

  constructor(options: ReplicaOptions) {
    this.#options = options
    const { link, clock, codec, defer, connect, valueBytesMax } = options
    const hybrid = new HybridClock(clock, options.driftMsMax)
    this.#values = new Values(codec, valueBytesMax, link.messageBytesMax - ROOM_BYTES)
    this.sender = new Sender({ link, clock, values: this.#values, defer })
    const find = (name: string): MapState | undefined => this.maps.get(name)
    this.#large = new LargeValues({ connect, link, clock, values: this.#values, valueBytesMax, find })
    this.#around = {
      ...options,
      self: link.self,
      sum: this.#sum,
      hybrid,
      values: this.#values,
      waits: (map) => this.sender.waits(map),
      fetch: (map, operation, origin, from) => this.#large.announced(map, operation, origin, from),
    }
    this.#sweepLater()
  }

  /** The map of a name, opened with these bounds. @throws MeshError (`ERR_MESH`) when it is known with another mode */
  open(name: string, mode: MapMode, bounds: MapBounds): MapState {
    const known = this.maps.get(name)
    if (known && modeByte(known.mode) !== modeByte(mode)) throw new MeshError(mismatch(name, mode, known.mode))
    const map = known ?? this.#newMap(name, mode)
    if (!map.isOpen) map.open(bounds)
    return map
  }

  /** A message of operations has come. */
  message(from: PeerId, body: Uint8Array): void {
    this.heard(from)
    this.#read(from, body, true)
  }

  /** Something has come from the peer: until now it was not away. */
  heard(from: PeerId): void {
    this.#heardAtMs.set(from, this.#options.clock.monotonic())
  }

  /**
   * Messages of the peer are lost for good. Comparing states repairs that, as far back as changes are remembered. In maps that remember
   * less than the peer has been away for, copies that it may have changed are not to be trusted.
   */
  lost(from: PeerId): void {
    const heardAtMs = this.#heardAtMs.get(from)
    this.heard(from)
    if (heardAtMs === undefined) return
    const awayMs = this.#options.clock.monotonic() - heardAtMs
    for (const map of this.maps.values())
      if (!map.mode.everything && map.isOpen && awayMs >= map.ledger.remembersMs) map.void('away')
  }

  /** Forgets when all peers but these were heard. */
  keepOnly(peers: ReadonlySet<PeerId>): void {
    for (const peer of this.#heardAtMs.keys()) if (!peers.has(peer)) this.#heardAtMs.delete(peer)
  }

  /** Answers on a stream that a peer opened by its `connect`. */
  serve(stream: LinkStream, request: Uint8Array): Promise<void> {
    return this.#large.serve(stream, request)
  }

  hashes(): Uint32Array {
    return this.#sum
  }

  *bodies(buckets: readonly number[] | undefined, bytesMax: number, recentMs?: number): Iterable<Uint8Array> {
    const oldest = recentMs === undefined ? 0 : timestampOf(this.#options.clock.wall() - recentMs)
    const writer = new BodyWriter(bytesMax)
    const drafts = new Drafts(this.#values, this.#around.self)
    drafts.announceAbove(Math.min(bytesMax, this.#options.link.messageBytesMax) - ROOM_BYTES)
    writer.begin(bytesMax, OPERATIONS)
    for (const bucket of buckets ?? Array.from({ length: BUCKETS }, (_, at) => at)) {
      for (const map of this.maps.values()) {
        for (const entry of map.ledger.buckets.entries(bucket)) {
          if (entry.version < oldest) continue
          const operation = drafts.known(map, entry, this.#options.clock.monotonic())
          if (!operation) continue
          if (writer.add(map.name, modeByte(map.mode), operation)) continue
          const kept = { ...operation }
          yield Uint8Array.from(writer.body)
          writer.begin(bytesMax, OPERATIONS)
          writer.add(map.name, modeByte(map.mode), kept)
        }
      }
    }
    if (!writer.isEmpty) yield Uint8Array.from(writer.body)
  }

  merge(from: PeerId, body: Uint8Array): void {
    this.heard(from)
    this.#read(from, body, false)
  }

  wipe(): void {
    for (const map of this.maps.values()) map.wipe()
  }

  isBusy(): boolean {
    return this.sender.isBusy || this.#large.isBusy
  }

  /** How long peers may be apart: as long as every deletion is remembered of a map that all hold whole. */
  get awayMsMax(): number {
    let least = this.#options.rememberMs
    for (const { mode, ledger } of this.maps.values()) if (mode.everything) least = Math.min(least, ledger.remembersMs)
    return least
  }

  close(): void {
    this.#sweep?.cancel()
    this.sender.close()
    for (const { unsent } of this.maps.values()) unsent.clear()
    this.#large.close()
  }

  #read(from: PeerId, body: Uint8Array, live: boolean): void {
    const reader = this.#reader
    const { hybrid } = this.#around
    let map: MapState | undefined
    try {
      reader.open(body)
      while (reader.next()) {
        if (reader.kind === 'map') map = this.#mapOf(reader.key, modeOf(reader.mode), from)
        else {
          const aheadMs = hybrid.observe(reader.version)
          if (aheadMs > 0) this.#options.onDrift(reader.origin ?? from, aheadMs)
          map?.merge(reader, from, live)
        }
      }
    } catch (error) {
      if (!(error instanceof ValueError || error instanceof RangeError)) throw error
      this.malformed++
    }
  }

  #mapOf(name: string, mode: MapMode, from: PeerId): MapState {
    const map = this.maps.get(name) ?? this.#newMap(name, mode)
    if (modeByte(map.mode) !== modeByte(mode) && !this.#mismatched.has(name)) {
      this.#mismatched.add(name)
      map.events.emit('mismatch', { peer: from, sync: mode.sync, bounded: !mode.everything })
    }
    return map
  }

  #newMap(name: string, mode: MapMode): MapState {
    const map = new MapState(name, mode, this.#around, this.#options.eventsOf(name))
    this.maps.set(name, map)
    return map
  }

  #sweepLater(): void {
    this.#sweep = this.#options.clock.after(SWEEP_MS, () => {
      const nowMs = this.#options.clock.monotonic()
      for (const map of this.maps.values()) map.sweep(nowMs)
      this.#sweepLater()
    })
  }
}

const SWEEP_MS = 1000

function mismatch(name: string, asked: MapMode, known: MapMode): string {
  const show = ({ sync, everything }: MapMode): string => `sync '${sync}' ${everything ? 'without' : 'with'} a bound`
  return `the map ${name} cannot be opened with ${show(asked)}: peers have it with ${show(known)}; use the same everywhere, or another name`
}
