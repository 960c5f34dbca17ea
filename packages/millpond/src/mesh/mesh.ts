import type { Bus } from '../core/bus.ts'
import { timeLimit } from '../core/clock.ts'
import { ClosedError, MeshError, OptionError } from '../core/errors.ts'
import { EventHub } from '../core/event-hub.ts'
import type { Transport } from '../core/transport.ts'
import { Channel, ChannelLink } from './channels.ts'
import type { Link, LinkReceiver, LinkStream, PeerId, PeerInfo } from './link/link.ts'
import type { LinkStats } from './link/link-stats.ts'
import { openLink } from './link/open-link.ts'
import type { MapEvents } from './map/map-events.ts'
import { type MeshMapOptions, type WholeMapOptions, wholeMapOptions } from './map/map-options.ts'
import { type MapStats, statsOf } from './map/map-stats.ts'
import { MeshMap } from './map/mesh-map.ts'
import { BUS_MESSAGE, MeshBus } from './mesh-bus.ts'
import type { MeshEvents } from './mesh-events.ts'
import { type MeshOptions, type WholeMeshOptions, wholeMeshOptions } from './options.ts'
import { collectOptions } from './options-sources.ts'
import { Questions } from './questions.ts'
import { Repair } from './repair/repair.ts'
import type { MapState } from './replica/map-state.ts'
import { Replica } from './replica/replica.ts'
import { OPERATIONS } from './replica/sender.ts'
import { PacketSealer } from './security/packet-sealer.ts'
import { StreamSealer } from './security/stream-sealer.ts'
import { Settling } from './settling.ts'
import { UdpTransport } from './transports/udp.ts'
import { newPeerId } from './wire/peer-id.ts'
import { valueCodec } from './wire/value-codec.ts'

/** How a mesh does, seen from this process. Plain data: a peer can be asked for its own. */
export interface MeshStatus {
  readonly id: PeerId
  readonly peer: string
  readonly mesh: string
  /** It joined to look only, and holds no maps. */
  readonly observes: boolean
  /** Peers that are alive. */
  readonly alive: number
  readonly maps: Readonly<Record<string, MapStats>>
  /** How often sending waited for room, and bodies that could not be read. */
  readonly blocked: number
  readonly malformed: number
  readonly link: LinkStats
}

/** A peer's answer to `mesh.checksums`. */
export interface MapChecksum {
  readonly id: PeerId
  readonly peer: string
  /** Equal where peers know the same; '' where the map is not known. */
  readonly checksum: string
  readonly size: number
}

/**
 * Joins a mesh. Resolves when this process has what its peers hold, after `joinTimeout` at the latest, and soon where there are none.
 *
 * @throws OptionError (`ERR_OPTION`) for an option, variable or field that cannot be used
 * @throws MeshError (`ERR_MESH`) when the network cannot be used; its message says what to change
 */
export async function joinMesh(options: MeshOptions = {}): Promise<Mesh> {
  const whole = wholeMeshOptions(collectOptions(options))
  const mesh = new Mesh(whole)
  await mesh.open()
  return mesh
}

/** A process's membership of a mesh. Made by `joinMesh`. */
export class Mesh {
  readonly name: string
  /** What this process calls itself. */
  readonly peer: string
  readonly #options: WholeMeshOptions
  readonly #events: EventHub<MeshEvents>
  readonly #settling = new Settling()
  readonly #opened = new Map<string, { readonly map: MeshMap<never>; readonly options: WholeMapOptions }>()
  readonly #driftToldMs = new Map<PeerId, number>()
  #link!: Link
  #replica!: Replica
  #repair!: Repair
  #questions!: Questions
  #bus!: MeshBus
  #isReady = false
  #leaving: Promise<void> | undefined

  /** @internal */
  constructor(options: WholeMeshOptions) {
    this.#options = options
    this.name = options.name
    this.peer = options.peer
    this.#events = new EventHub({ mesh: options.name }, 'millpond:mesh:', options.logger)
  }

  /** This process: a random number, new at each start. */
  get id(): PeerId {
    return this.#link.self
  }

  /** @internal */
  async open(): Promise<void> {
    const { name, peer, keyring, clock, random, limits, joinMs, observes } = this.#options
    const transport = this.#transport()
    const self = newPeerId(observes)
    const sealer = new PacketSealer(self, name, keyring, clock)
    const streams = new StreamSealer(self, name, keyring, clock)
    const failed = (error: Error): void => this.#events.emit('error', { error })
    const parts = { transport, sealer, streams, clock, random, name: peer, limits, failed }
    this.#link = await openLink(parts, this.#receiver()).catch(async (error: unknown) => {
      await transport.close().catch(() => {})
      throw error
    })
    this.#assemble()
    this.#isReady = true
    for (const known of this.#link.peers()) this.#peer(known)
    if (observes) return
    await timeLimit<void>(
      clock,
      joinMs,
      () => this.#repair.caughtUp(),
      () => {},
    )
  }

  /**
   * The map of a name: the same object each time. What peers have set before is there.
   *
   * @throws OptionError (`ERR_OPTION`) for an option that cannot be used, or when this process has opened the map with others
   * @throws MeshError (`ERR_MESH`) when peers have opened it with another `sync`, or one with and one without a bound; where this process observes
   * @throws ClosedError (`ERR_CLOSED`) after `leave`
   */
  map<V = unknown>(name: string, options?: MeshMapOptions): MeshMap<V> {
    if (this.isClosed) throw new ClosedError('the mesh')
    if (this.#options.observes) throw new MeshError(`map ${name}: this process joined to observe; join without it`)
    const known = this.#opened.get(name)
    if (known && (!options || sameOptions(known.options, wholeMapOptions(options)))) return known.map as MeshMap<V>
    if (known) throw new OptionError('options', options, `map ${name} was opened with others; give the same, or none`)
    if (typeof name !== 'string' || name === '' || name.length > NAME_CHARACTERS_MAX) {
      throw new OptionError('name', name, `give a map a name of 1 to ${NAME_CHARACTERS_MAX} characters`)
    }
    const whole = wholeMapOptions(options ?? {})
    const map = new MeshMap<V>(this.#replica.open(name, whole.mode, whole.bounds), whole, this)
    this.#opened.set(name, { map: map as MeshMap<never>, options: whole })
    return map
  }

  /** The bus between caches: `createCache({ bus: mesh.bus() })`. One for each cache. */
  bus(): Bus {
    return this.#bus.end()
  }

  /** Every peer that is known, dead and left ones for a while too. */
  peers(): readonly PeerInfo[] {
    return this.#link.peers()
  }

  /** How the mesh does, seen from here. */
  status(): MeshStatus {
    const maps = Object.fromEntries([...this.#replica.maps].map(([name, map]) => [name, statsOf(map)]))
    const { sender, malformed } = this.#replica
    const alive = this.#alive().length
    const { id, peer, name: mesh } = this
    const { observes } = this.#options
    return { id, peer, mesh, observes, alive, maps, blocked: sender.blocked, malformed, link: this.#link.stats() }
  }

  /** The status of one peer, as it sees it. @throws MeshError (`ERR_MESH`) when it does not answer */
  async statusOf(peer: PeerId): Promise<MeshStatus> {
    return (await this.#questions.ask(peer, 'status')) as MeshStatus
  }

  /** The status of every process that is alive and answers, this one first. */
  async clusterStatus(): Promise<MeshStatus[]> {
    return [this.status(), ...(await this.#askAll<MeshStatus>('status'))]
  }

  /** What every process that is alive and answers knows of a map, as a checksum: equal where they know the same. This one first. */
  async checksums(name: string): Promise<MapChecksum[]> {
    return [this.#checksum(name), ...(await this.#askAll<MapChecksum>('checksum', name))]
  }

  /**
   * Without a peer: deletes every key of the map, on every peer. With a peer: that one alone drops its copies; of a map that all hold whole it
   * takes them anew from the others.
   *
   * @throws MeshError (`ERR_MESH`) when the peer does not answer
   */
  async clear(name: string, peer?: PeerId): Promise<void> {
    if (peer === undefined) this.map(name).clear()
    else if (peer === this.id) this.#drop(name)
    else await this.#questions.ask(peer, 'drop', name)
  }

  /** Resolves when every peer that is alive and keeps up has acknowledged what was written here until now, in all maps. */
  async settled(map?: MapState): Promise<void> {
    if (this.isClosed) throw new ClosedError('the mesh')
    const maps = map ? [map] : [...this.#replica.maps.values()]
    await Promise.all(maps.map((each) => this.#settledOne(each)))
  }

  /** Listens. Returns what stops it. Also on the channels `millpond:mesh:<name>` of `node:diagnostics_channel`. */
  on<Name extends keyof MeshEvents>(name: Name, listen: (event: MeshEvents[Name]) => void): () => void {
    return this.#events.on(name, listen)
  }

  /** @internal What this process knows of a map. */
  stateOf(name: string): MapState {
    return this.#replica.maps.get(name)!
  }

  get isClosed(): boolean {
    return this.#leaving !== undefined
  }

  /** Says good-bye, when the peers have acknowledged what was written or after half a second, and closes the sockets. Maps can still be read. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  /** As `leave`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  #transport(): Transport {
    const { transport, name, keyring, insecure, clock, logger } = this.#options
    if ('open' in transport) return transport
    const warn = (message: string): void => logger.warn({ mesh: name }, message)
    const sealed = keyring.first !== undefined
    return new UdpTransport({ ...transport, mesh: name, sealed, insecure, warn }, clock)
  }

  #assemble(): void {
    const { clock, random, logger, tombstoneMs, tombstonesMax } = this.#options
    const link = this.#link
    const values = new ChannelLink(link, Channel.values)
    const questions = new ChannelLink(link, Channel.questions)
    this.#replica = new Replica({
      link,
      clock,
      codec: valueCodec,
      defer: (run) => void setImmediate(run),
      connect: (to) => values.connect(to),
      eventsOf: (map) => new EventHub<MapEvents>({ mesh: this.name, map }, 'millpond:mesh:', logger),
      onDrift: (peer, aheadMs) => this.#drift(peer, aheadMs),
      driftMsMax: this.#options.driftMsMax,
      rememberMs: tombstoneMs,
      rememberedMax: tombstonesMax,
      valueBytesMax: this.#options.valueBytesMax,
    })
    this.#repair = new Repair({
      link: new ChannelLink(link, Channel.repair),
      state: this.#replica,
      clock,
      random,
      observes: this.#options.observes,
      onFailure: (peer, error) =>
        this.#events.emit('error', { error: new MeshError(`peer ${peer} was not compared`, { cause: error }) }),
    })
    this.#questions = new Questions({
      connect: (to) => questions.connect(to),
      clock,
      answers: {
        status: () => this.status(),
        checksum: (name) => this.#checksum(String(name)),
        drop: (name) => this.#drop(String(name)),
        busSent: () => this.#bus.sent,
      },
    })
    this.#bus = new MeshBus({ link, ask: async (peer) => (await this.#questions.ask(peer, 'busSent')) as number })
  }

  #receiver(): LinkReceiver {
    return {
      message: (from, body) => this.#isReady && this.#message(from, body),
      hint: (from, body) => {
        if (!this.#isReady) return
        this.#replica.heard(from)
        if (body[0] === Channel.repair) this.#repair.hint(from, body.subarray(1))
      },
      room: () => this.#isReady && this.#room(),
      peer: (peer) => this.#isReady && this.#peer(peer),
      lost: (from) => this.#isReady && this.#lost(from),
      stream: (from, stream) =>
        void this.#stream(from, stream).catch((error: unknown) => this.#streamFailed(stream, error)),
    }
  }

  #message(from: PeerId, body: Uint8Array): void {
    try {
      if (body[0] === OPERATIONS && !this.#options.observes) this.#replica.message(from, body)
      else if (body[0] === BUS_MESSAGE) this.#bus.message(from, body)
    } catch (error) {
      this.#events.emit('error', { error })
    }
  }

  #room(): void {
    this.#bus.room()
    this.#replica.sender.flush()
    this.#settling.acknowledged(this.#link.acknowledged())
  }

  #peer(peer: PeerInfo): void {
    this.#repair.peer(peer)
    this.#events.emit('peer', { peer })
    if (peer.state === 'dead' || peer.state === 'left') this.#forgetGone()
    this.#settling.acknowledged(this.#link.acknowledged())
  }

  /** Drops what is known of peers that the link has forgotten. */
  #forgetGone(): void {
    const known = new Set(this.#link.peers().map(({ id }) => id))
    this.#replica.keepOnly(known)
    this.#bus.keepOnly(known)
    for (const id of this.#driftToldMs.keys()) if (!known.has(id)) this.#driftToldMs.delete(id)
  }

  #lost(from: PeerId): void {
    this.#replica.lost(from)
    this.#repair.lost(from)
    this.#bus.lost(from)
    this.#events.emit('lost', { peer: from })
  }

  async #stream(from: PeerId, stream: LinkStream): Promise<void> {
    const mark = await stream.read()
    if (!this.#isReady || !mark) return stream.destroy()
    this.#replica.heard(from)
    if (mark[0] === Channel.repair) return this.#repair.stream(from, stream)
    if (mark[0] === Channel.questions) return await this.#questions.serve(from, stream)
    const request = mark[0] === Channel.values ? await stream.read() : undefined
    if (!request) return stream.destroy()
    await this.#replica.serve(stream, request)
  }

  #streamFailed(stream: LinkStream, error: unknown): void {
    stream.destroy()
    if (!this.isClosed) this.#events.emit('error', { error })
  }

  async #settledOne(map: MapState): Promise<void> {
    let last = this.#link.sent()
    if (map.unsent.size > 0) last = await new Promise<number>((resolve) => map.unsent.mark(resolve))
    this.#settling.acknowledged(this.#link.acknowledged())
    await this.#settling.reach(last)
  }

  async #askAll<T>(question: string, argument?: unknown): Promise<T[]> {
    const asked = this.#alive().map(({ id }) => this.#questions.ask(id, question, argument))
    const answers = await Promise.allSettled(asked)
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value as T] : []))
  }

  #checksum(name: string): MapChecksum {
    const map = this.#replica.maps.get(name)
    const { checksum, size } = map ? statsOf(map) : { checksum: '', size: 0 }
    return { id: this.id, peer: this.peer, checksum, size }
  }

  #drop(name: string): void {
    const map = this.#replica.maps.get(name)
    if (!map) throw new MeshError(`there is no map ${name} at ${this.peer}`)
    map.drop()
  }

  #drift(peer: PeerId, aheadMs: number): void {
    const nowMs = this.#options.clock.monotonic()
    if (nowMs - (this.#driftToldMs.get(peer) ?? Number.NEGATIVE_INFINITY) < DRIFT_TOLD_MS) return
    this.#driftToldMs.set(peer, nowMs)
    this.#options.logger.warn({ mesh: this.name, peer, aheadMs }, 'the clock of a peer is ahead and is not followed')
    this.#events.emit('drift', { peer, aheadMs })
  }

  #alive(): PeerInfo[] {
    return this.#link.peers().filter(({ state }) => state === 'alive')
  }

  async #leave(): Promise<void> {
    const maps = [...this.#replica.maps.values()]
    const said = async (): Promise<void> => {
      await Promise.all(maps.map((map) => this.#settledOne(map)))
    }
    await timeLimit(this.#options.clock, LEAVE_MS_MAX, said, () => {})
    await this.#link.leave()
    this.#settling.fail(new ClosedError('the mesh'))
    this.#repair.close()
    this.#replica.close()
    this.#bus.close()
  }
}

function sameOptions(one: WholeMapOptions, other: WholeMapOptions): boolean {
  return JSON.stringify(one) === JSON.stringify(other) && one.bounds.policy === other.bounds.policy
}

const NAME_CHARACTERS_MAX = 200
/** How long `leave` waits for what was not sent yet. */
const LEAVE_MS_MAX = 500
const DRIFT_TOLD_MS = 10_000
