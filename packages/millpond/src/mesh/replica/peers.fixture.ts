/** Replicas without a network: what is sent lies in a bag from which a test draws, drops and repeats. */
import { EventHub } from '../../core/event-hub.ts'
import { silentLogger } from '../../core/logger.ts'
import { type Random, seededRandom } from '../../core/random.ts'
import { type ManualClock, manualClock } from '../../testing/manual-clock.ts'
import type { Link, LinkStream, PeerId, PeerInfo } from '../link/link.ts'
import type { LinkStats } from '../link/link-stats.ts'
import type { MapEvents } from '../map/map-events.ts'
import { valueCodec } from '../wire/value-codec.ts'
import type { Sync } from './map-mode.ts'
import type { MapBounds, MapState } from './map-state.ts'
import { Replica, type ReplicaOptions } from './replica.ts'

export const UNBOUNDED: MapBounds = {
  maxEntries: Number.POSITIVE_INFINITY,
  maxWeight: Number.POSITIVE_INFINITY,
  policy: undefined,
  conflict: 'latest',
  readWindowMs: 0,
}

/** What lies in the bag. */
interface Flight {
  readonly from: FixturePeer
  readonly to: FixturePeer
  readonly body: Uint8Array
}

/** A mesh of replicas with one clock, each with a wall of its own. */
export class Peers {
  readonly clock: ManualClock = manualClock()
  readonly random: Random
  readonly alive: FixturePeer[] = []
  readonly flights: Flight[] = []
  /** Who does not hear whom. */
  readonly cuts = new Set<string>()
  #lastId = 0
  readonly #options: Partial<ReplicaOptions>

  constructor(seed: number, options: Partial<ReplicaOptions> = {}) {
    this.random = seededRandom(seed)
    this.#options = options
  }

  join(skewMs = 0): FixturePeer {
    const peer = new FixturePeer(this, ++this.#lastId, skewMs, this.#options)
    this.alive.push(peer)
    return peer
  }

  crash(peer: FixturePeer): void {
    this.alive.splice(this.alive.indexOf(peer), 1)
    peer.replica.close()
    for (let at = this.flights.length - 1; at >= 0; at--)
      if (this.flights[at]!.to === peer || this.flights[at]!.from === peer) this.flights.splice(at, 1)
  }

  /** Sends what waits, of all peers. */
  flush(): void {
    for (const peer of this.alive) peer.flush()
  }

  /** Delivers one message, of any place in the bag. */
  deliverOne(): void {
    const [flight] = this.flights.splice(Math.floor(this.random() * this.flights.length), 1)
    flight?.to.replica.message(flight.from.id, Uint8Array.from(flight.body))
  }

  deliver(): void {
    while (this.flights.length > 0) this.deliverOne()
  }

  /** Sends and delivers what waits, without repair. */
  settleMessages(): void {
    this.flush()
    this.deliver()
  }

  /** Compares two states and carries what differs both ways, as the repair layer does. */
  repair(one: FixturePeer, other: FixturePeer): void {
    const buckets = differing(one.replica.hashes().slice(), other.replica.hashes())
    if (buckets.length === 0) return
    for (const body of [...one.replica.bodies(buckets, 64 * 1024)]) other.replica.merge(one.id, body)
    for (const body of [...other.replica.bodies(buckets, 64 * 1024)]) one.replica.merge(other.id, body)
  }

  /** Sends, delivers and repairs until nothing moves. Returns how many rounds of repair that took. */
  settle(): number {
    for (let round = 0; round < 50; round++) {
      this.flush()
      this.deliver()
      const states = () => this.alive.map(({ replica }) => replica.hashes().slice())
      const first = states()[0]!
      if (states().every((state) => differing(first, state).length === 0)) return round
      for (const one of this.alive) for (const other of this.alive) if (one.id < other.id) this.repair(one, other)
    }
    throw new Error('the states do not become equal')
  }

  peer(id: PeerId): FixturePeer | undefined {
    return this.alive.find((peer) => peer.id === id)
  }
}

/** A process: its replica, and a link into the bag. */
export class FixturePeer {
  readonly id: PeerId
  readonly replica: Replica
  readonly events: [string, object][] = []
  skewMs: number
  room = Number.POSITIVE_INFINITY
  sent = 0
  acknowledged = 0
  readonly sentBodies: Uint8Array[] = []
  drifts = 0
  readonly #peers: Peers
  readonly #deferred: (() => void)[] = []

  constructor(peers: Peers, id: number, skewMs: number, options: Partial<ReplicaOptions>) {
    this.#peers = peers
    this.id = id
    this.skewMs = skewMs
    const { clock } = peers
    this.replica = new Replica({
      link: this.#link(),
      clock: { ...clock, wall: () => clock.wall() + this.skewMs },
      codec: valueCodec,
      defer: (run) => this.#deferred.push(run),
      connect: async (to) => this.#connect(to),
      eventsOf: () => this.#events(),
      onDrift: () => this.drifts++,
      driftMsMax: 500,
      rememberMs: 600_000,
      rememberedMax: 10_000,
      valueBytesMax: 16 * 1024 * 1024,
      ...options,
    })
  }

  open(name = 'prices', bounds: Partial<MapBounds> = {}, sync: Sync = 'full'): MapState {
    const whole = { ...UNBOUNDED, ...bounds }
    const bounded = whole.maxEntries < Number.POSITIVE_INFINITY || whole.maxWeight < Number.POSITIVE_INFINITY
    return this.replica.open(name, { sync, everything: sync === 'full' && !bounded }, whole)
  }

  flush(): void {
    for (const run of this.#deferred.splice(0)) run()
    if (this.room > 0) this.replica.sender.flush()
  }

  /** The kinds of events, in order. */
  get told(): string[] {
    return this.events.map(([name, event]) => `${name} ${(event as { key?: string }).key ?? ''}`.trim())
  }

  #link(): Link {
    const peers = this.#peers
    return {
      self: this.id,
      address: { host: '10.0.0.1', port: this.id, streamPort: this.id },
      stats: () => ({}) as LinkStats,
      messageBytesMax: 64 * 1024,
      datagramBodyBytes: 1200,
      room: () => this.room,
      send: (body) => {
        this.room--
        this.sentBodies.push(Uint8Array.from(body))
        for (const to of peers.alive)
          if (to !== this && !peers.cuts.has(`${this.id}>${to.id}`))
            peers.flights.push({ from: this, to, body: Uint8Array.from(body) })
        return ++this.sent
      },
      hint() {},
      acknowledged: () => this.acknowledged,
      sent: () => this.sent,
      peers: () =>
        peers.alive.filter((peer) => peer !== this).map((peer) => ({ id: peer.id, state: 'alive' }) as PeerInfo),
      connect: (to) => Promise.resolve(this.#connect(to)),
      async leave() {},
    }
  }

  #connect(to: PeerId): LinkStream {
    const peer = this.#peers.peer(to)
    if (!peer || this.#peers.cuts.has(`${this.id}>${to}`)) throw new Error(`no peer ${to}`)
    const [here, there] = streams()
    void there.read().then((request) => peer.replica.serve(there, request!))
    return here
  }

  #events(): EventHub<MapEvents> {
    const hub = new EventHub<MapEvents>({}, 'fixture:', silentLogger)
    const names = ['set', 'remove', 'clear', 'conflict', 'overtaken', 'reset', 'mismatch', 'decodeError'] as const
    for (const name of names) hub.on(name, (event) => void this.events.push([name, event]))
    return hub
  }
}

/** The buckets whose hashes differ. */
export function differing(one: Uint32Array, other: Uint32Array): number[] {
  const buckets: number[] = []
  for (let at = 0; at < one.length; at += 2)
    if (one[at] !== other[at] || one[at + 1] !== other[at + 1]) buckets.push(at / 2)
  return buckets
}

/** What a map holds, as data. */
export function contentOf(map: MapState): Record<string, unknown> {
  const content: Record<string, unknown> = {}
  for (const key of [...map.keys()].sort()) content[key] = map.get(key)
  return content
}

/** Two ends of a stream in memory. */
function streams(): [LinkStream, LinkStream] {
  const queues: [Pipe, Pipe] = [new Pipe(), new Pipe()]
  const end = (mine: Pipe, theirs: Pipe): LinkStream => ({
    write: async (message) => theirs.push(Uint8Array.from(message)),
    read: () => mine.next(),
    end: () => theirs.push(undefined),
    destroy: () => {
      theirs.push(undefined)
      mine.push(undefined)
    },
  })
  return [end(queues[0], queues[1]), end(queues[1], queues[0])]
}

class Pipe {
  readonly #items: (Uint8Array | undefined)[] = []
  #waiting: ((item: Uint8Array | undefined) => void) | undefined

  push(item: Uint8Array | undefined): void {
    if (this.#waiting) this.#waiting(item)
    else this.#items.push(item)
    this.#waiting = undefined
  }

  next(): Promise<Uint8Array | undefined> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift())
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }
}
