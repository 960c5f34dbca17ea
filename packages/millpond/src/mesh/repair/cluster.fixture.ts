import { type Random, seededRandom } from '../../core/random.ts'
import { type ManualClock, manualClock } from '../../testing/manual-clock.ts'
import type { SimulatedHost, SimulatedHostOptions } from '../../testing/simulated-host.ts'
import type { SimulatedLink } from '../../testing/simulated-link.ts'
import { SimulatedNetwork } from '../../testing/simulated-network.ts'
import type { Link, LinkReceiver, LinkStream, PeerId, PeerInfo } from '../link/link.ts'
import { openLink } from '../link/open-link.ts'
import type { Repairable } from '../link/repairable.ts'
import { Keyring } from '../security/keyring.ts'
import { PacketSealer } from '../security/packet-sealer.ts'
import { StreamSealer } from '../security/stream-sealer.ts'
import { valueCodec } from '../wire/value-codec.ts'
import { rootOf } from './digest.ts'
import { Repair } from './repair.ts'

interface ToyEntry {
  readonly value: string | undefined
  readonly version: number
  readonly atMs: number
}

type ToyOperation = readonly [key: string, value: string | undefined, version: number]

/** A state as simple as can be: the last writer wins, and deletions are remembered for `awayMsMax`. */
export class ToyState implements Repairable {
  readonly buckets = 256
  readonly entries = new Map<string, ToyEntry>()
  readonly awayMsMax: number
  readonly #nowMs: () => number
  busy = false
  wipes = 0

  constructor(nowMs: () => number, awayMsMax: number) {
    this.#nowMs = nowMs
    this.awayMsMax = awayMsMax
  }

  set(key: string, value: string | undefined, version: number): void {
    const known = this.entries.get(key)
    if (known && known.version >= version) return
    this.entries.set(key, { value, version, atMs: this.#nowMs() })
  }

  /** Forgets deletions that are old enough. */
  forget(): void {
    for (const [key, { value, atMs }] of this.entries)
      if (value === undefined && this.#nowMs() - atMs > this.awayMsMax) this.entries.delete(key)
  }

  hashes(): Uint32Array {
    const hashes = new Uint32Array(this.buckets * 2)
    for (const [key, { version }] of this.entries) {
      const at = bucketOf(key) * 2
      const word = Math.imul(hashText(key) ^ Math.imul(version, 0x9e3779b1), 0x85ebca6b)
      hashes[at]! ^= word
      hashes[at + 1]! ^= Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    }
    return hashes
  }

  *bodies(buckets: readonly number[] | undefined, bytesMax: number, recentMs?: number): Iterable<Uint8Array> {
    const oldestMs = recentMs === undefined ? Number.NEGATIVE_INFINITY : this.#nowMs() - recentMs
    let row: ToyOperation[] = []
    let bytes = 0
    const wanted = buckets && new Set(buckets)
    for (const [key, { value, version, atMs }] of [...this.entries].sort(([a], [b]) => bucketOf(a) - bucketOf(b))) {
      if ((wanted && !wanted.has(bucketOf(key))) || atMs < oldestMs) continue
      const size = key.length + (value?.length ?? 0) + 20
      if (bytes + size > bytesMax - 10) {
        yield valueCodec.encode(row)
        row = []
        bytes = 0
      }
      row.push([key, value, version])
      bytes += size
    }
    if (row.length > 0) yield valueCodec.encode(row)
  }

  merge(_from: PeerId, body: Uint8Array): void {
    for (const [key, value, version] of valueCodec.decode(body) as ToyOperation[]) this.set(key, value, version)
  }

  isBusy(): boolean {
    return this.busy
  }

  wipe(): void {
    this.wipes++
    this.entries.clear()
  }

  get keys(): string[] {
    return [...this.entries].flatMap(([key, { value }]) => (value === undefined ? [] : [key])).sort()
  }
}

function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash ^ (hash >>> 15)
}

const bucketOf = (key: string): number => (hashText(key) >>> 0) % 256

/** A process with a link, a toy state and the repair of it. */
export class RepairMember implements LinkReceiver {
  readonly host: SimulatedHost
  readonly state: ToyState
  readonly failures: unknown[] = []
  readonly #cluster: RepairCluster
  link!: Link
  repair!: Repair
  caughtUpMs = Number.POSITIVE_INFINITY

  constructor(cluster: RepairCluster, host: SimulatedHost, awayMsMax: number) {
    this.#cluster = cluster
    this.host = host
    this.state = new ToyState(() => host.clock.monotonic(), awayMsMax)
  }

  async join(name: string): Promise<void> {
    const { host } = this
    const random = seededRandom(Math.floor(this.#cluster.random() * 2 ** 32))
    const id = Math.floor(random() * 2 ** 52) + 1
    const keyring = new Keyring([])
    const sealer = new PacketSealer(id, 'test', keyring, host.clock)
    const streams = new StreamSealer(id, 'test', keyring, host.clock)
    const startedMs = host.clock.monotonic()
    this.link = await openLink({ transport: host.transport, sealer, streams, clock: host.clock, random, name }, this)
    this.repair = new Repair({
      link: this.link,
      state: this.state,
      clock: host.clock,
      random,
      onFailure: (_peer, error) => this.failures.push(error),
      turn: async () => {},
    })
    void this.repair.caughtUp().then(() => {
      this.caughtUpMs = host.clock.monotonic() - startedMs
    })
    for (const peer of this.link.peers()) this.repair.peer(peer)
  }

  /** Sets a key here, and tells the others. */
  set(key: string, value: string = `of ${this.link.self}`): void {
    this.#change(key, value)
  }

  delete(key: string): void {
    this.#change(key, undefined)
  }

  #change(key: string, value: string | undefined): void {
    const version = ++this.#cluster.version
    this.state.set(key, value, version)
    this.link.send(valueCodec.encode([[key, value, version]]))
  }

  message(from: PeerId, body: Uint8Array): void {
    this.state.merge(from, body)
  }
  hint(from: PeerId, body: Uint8Array): void {
    this.repair?.hint(from, body)
  }
  room(): void {}
  peer(peer: PeerInfo): void {
    this.repair?.peer(peer)
  }
  lost(from: PeerId): void {
    this.repair?.lost(from)
  }
  stream(from: PeerId, stream: LinkStream): void {
    this.repair?.stream(from, stream)
  }
}

/** Processes that repair, on a simulated network and a clock that the test drives. The seed decides everything. */
export class RepairCluster {
  readonly clock: ManualClock = manualClock()
  readonly network: SimulatedNetwork
  readonly random: Random
  readonly members: RepairMember[] = []
  readonly awayMsMax: number
  version = 0

  constructor(seed: number, link: SimulatedLink = {}, awayMsMax = 600_000) {
    this.random = seededRandom(seed)
    this.network = new SimulatedNetwork(this.clock, { seed, link })
    this.awayMsMax = awayMsMax
  }

  async start(options: SimulatedHostOptions = {}): Promise<RepairMember> {
    const member = new RepairMember(this, this.network.host(options), this.awayMsMax)
    await member.join(`m${member.host.id}`)
    this.members.push(member)
    return member
  }

  async startMany(count: number): Promise<RepairMember[]> {
    const started: RepairMember[] = []
    for (let at = 0; at < count; at++) started.push(await this.start())
    return started
  }

  crash(member: RepairMember): void {
    member.host.crash()
    member.repair.close()
    this.members.splice(this.members.indexOf(member), 1)
  }

  get areEqual(): boolean {
    return new Set(this.members.map(({ state }) => `${state.entries.size} ${rootOf(state.hashes())}`)).size <= 1
  }

  /** Runs until `done`. Returns how many milliseconds that took. */
  async until(done: () => boolean, limitMs: number): Promise<number> {
    const startMs = this.clock.monotonic()
    while (!done()) {
      const passedMs = this.clock.monotonic() - startMs
      if (passedMs > limitMs) throw new Error(`not within ${limitMs} ms`)
      await this.clock.advance(5)
    }
    return this.clock.monotonic() - startMs
  }
}
