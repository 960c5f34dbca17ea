import { type Random, seededRandom } from '../../core/random.ts'
import { type ManualClock, manualClock } from '../../testing/manual-clock.ts'
import type { SimulatedHost, SimulatedHostOptions } from '../../testing/simulated-host.ts'
import type { SimulatedLink } from '../../testing/simulated-link.ts'
import { SimulatedNetwork } from '../../testing/simulated-network.ts'
import { Keyring } from '../security/keyring.ts'
import { PacketSealer } from '../security/packet-sealer.ts'
import { StreamSealer } from '../security/stream-sealer.ts'
import type { Link, LinkReceiver, LinkStream, PeerId, PeerInfo } from './link.ts'
import { openLink } from './open-link.ts'
import type { LinkLimits } from './settings.ts'

/** One process of a simulated cluster, and everything that its link told it. */
export class Member implements LinkReceiver {
  readonly name: string
  readonly host: SimulatedHost
  link!: Link
  /** When each message was sent: the index is its number. */
  readonly sentAtMs: number[] = []
  /** How often each message of each peer came, by its number. */
  readonly got = new Map<PeerId, number[]>()
  /** When messages of a peer were told to be lost last. */
  readonly lostAtMs = new Map<PeerId, number>()
  readonly states = new Map<PeerId, string>()
  readonly log: string[] = []
  readonly hints: string[] = []
  readonly streams: LinkStream[] = []
  losses = 0
  rooms = 0
  /** When each message of a peer came first. */
  onMessage: ((from: PeerId, number: number) => void) | undefined
  readonly #clock: ManualClock

  constructor(name: string, host: SimulatedHost, clock: ManualClock) {
    this.name = name
    this.host = host
    this.#clock = clock
  }

  /** Sends a message of `bytes` bytes that bears its number. */
  send(bytes = 64): number {
    const body = Buffer.alloc(Math.max(8, bytes), this.sentAtMs.length)
    body.writeUInt32LE(this.sentAtMs.length, 0)
    body.writeUInt32LE(body.length, 4)
    this.sentAtMs.push(this.#clock.monotonic())
    return this.link.send(body)
  }

  message(from: PeerId, body: Uint8Array): void {
    const bytes = Buffer.from(body)
    const number = bytes.readUInt32LE(0)
    if (bytes.readUInt32LE(4) !== bytes.length) throw new Error(`message ${number} has ${bytes.length} bytes`)
    if (bytes.subarray(8).some((byte) => byte !== (number & 255))) throw new Error(`message ${number} was mixed up`)
    let got = this.got.get(from)
    if (!got) this.got.set(from, (got = []))
    got[number] = (got[number] ?? 0) + 1
    this.onMessage?.(from, number)
  }

  hint(_from: PeerId, body: Uint8Array): void {
    this.hints.push(Buffer.from(body).toString())
  }

  room(): void {
    this.rooms++
  }

  peer(peer: PeerInfo): void {
    this.states.set(peer.id, peer.state)
    this.log.push(`${Math.round(this.#clock.monotonic())} ${peer.name} ${peer.state}${peer.slow ? ' slow' : ''}`)
  }

  lost(from: PeerId): void {
    this.losses++
    this.lostAtMs.set(from, this.#clock.monotonic())
  }

  stream(_from: PeerId, stream: LinkStream): void {
    this.streams.push(stream)
  }

  /** Names of the live peers. */
  get sees(): string[] {
    return this.link
      .peers()
      .filter(({ state }) => state === 'alive')
      .map(({ name }) => name)
      .sort()
  }
}

export interface ClusterOptions {
  readonly seed: number
  readonly link?: SimulatedLink
  readonly multicast?: boolean
  readonly limits?: LinkLimits
}

/** Links in one process, on a simulated network and a clock that the test drives. The seed decides everything. */
export class Cluster {
  readonly clock: ManualClock = manualClock()
  readonly network: SimulatedNetwork
  readonly random: Random
  /** Those that run. */
  readonly members: Member[] = []
  /** Those that ran and are gone. */
  readonly past: Member[] = []
  readonly #options: ClusterOptions

  constructor(options: ClusterOptions) {
    this.#options = options
    this.random = seededRandom(options.seed)
    const { seed, link, multicast } = options
    this.network = new SimulatedNetwork(this.clock, {
      seed,
      ...(link && { link }),
      ...(multicast !== undefined && { multicast }),
    })
  }

  /** Starts a process. */
  async start(name: string, options: SimulatedHostOptions = {}): Promise<Member> {
    const host = this.network.host(options)
    const member = new Member(name, host, this.clock)
    const id = Math.floor(this.random() * 2 ** 52) + 1
    const keyring = new Keyring([])
    const sealer = new PacketSealer(id, 'test', keyring, host.clock)
    const streams = new StreamSealer(id, 'test', keyring, host.clock)
    const { transport, clock } = host
    const random = seededRandom(Math.floor(this.random() * 2 ** 32))
    const limits = this.#options.limits
    member.link = await openLink({ transport, sealer, streams, clock, random, name, ...(limits && { limits }) }, member)
    this.members.push(member)
    return member
  }

  async startMany(count: number, options: SimulatedHostOptions = {}): Promise<Member[]> {
    const started: Member[] = []
    for (let at = 0; at < count; at++)
      started.push(await this.start(`m${this.members.length + this.past.length}`, options))
    return started
  }

  crash(member: Member): void {
    member.host.crash()
    this.members.splice(this.members.indexOf(member), 1)
    this.past.push(member)
  }

  /** Whether everybody who runs sees everybody else who runs, and nobody else. */
  get isWhole(): boolean {
    return this.members.every((member) => {
      const others = this.members.filter((other) => other !== member).map(({ name }) => name)
      return member.sees.join() === others.sort().join()
    })
  }

  /** Runs until `done`, at most `limitMs`. Returns how long it took; throws with what everybody sees when it did not happen. */
  until(done: () => boolean, limitMs: number, stepMs = 1): number {
    for (let passedMs = 0; passedMs <= limitMs; passedMs += stepMs) {
      if (done()) return passedMs
      this.clock.advanceNow(stepMs)
    }
    const views = this.members.map(
      (member) => `${member.name}(${member.link.self}): ${member.log.slice(-8).join('; ')}`,
    )
    throw new Error(`not within ${limitMs} ms; seed ${this.#options.seed}\n${views.join('\n')}`)
  }

  /** Everything that is wrong: messages that came twice, or never, though no loss was told since they were sent. */
  faults(): string[] {
    const faults: string[] = []
    for (const receiver of this.members) {
      for (const sender of this.members) {
        if (sender === receiver) continue
        const got = receiver.got.get(sender.link.self) ?? []
        const toldMs = receiver.lostAtMs.get(sender.link.self) ?? Number.NEGATIVE_INFINITY
        sender.sentAtMs.forEach((atMs, number) => {
          const times = got[number] ?? 0
          const way = `${sender.name} > ${receiver.name} message ${number} of ${Math.round(atMs)} ms`
          if (times > 1) faults.push(`${way} came ${times} times`)
          if (times === 0 && atMs > toldMs) faults.push(`${way} never came; last loss told at ${Math.round(toldMs)} ms`)
        })
      }
      for (const [from, got] of receiver.got)
        if (got.some((times) => times > 1) && !this.members.some(({ link }) => link.self === from))
          faults.push(`${receiver.name} got messages of a past process twice`)
    }
    return faults
  }

  /** Queues that are longer than they may be. */
  overflows(): string[] {
    const { ringDatagrams = 8192, reassemblyBytes = 4 * 1024 * 1024, goneMax = 64 } = this.#options.limits ?? {}
    return this.members.flatMap(({ name, link }) => {
      const stats = link.stats()
      const faults: string[] = []
      if (stats.ringDatagrams > ringDatagrams) faults.push(`${name}: ring of ${stats.ringDatagrams}`)
      if (stats.strangers > 256) faults.push(`${name}: ${stats.strangers} strangers`)
      for (const peer of stats.peers) {
        if (peer.missing > ringDatagrams) faults.push(`${name}: ${peer.missing} missing of ${peer.name}`)
        if (peer.reassemblyBytes > reassemblyBytes)
          faults.push(`${name}: ${peer.reassemblyBytes} bytes of ${peer.name}`)
      }
      const gone = stats.peers.filter(({ state }) => state === 'dead' || state === 'left').length
      if (gone > goneMax) faults.push(`${name}: ${gone} gone peers`)
      return faults
    })
  }
}

/** A cluster and its members, of which at least as many are used as the test asked for. */
export interface Met {
  readonly cluster: Cluster
  readonly members: [Member, Member, Member, ...Member[]]
}

/** A cluster in which everybody has met, at a time that depends on the seed. */
export async function met(count: number, options: Partial<ClusterOptions> = {}): Promise<Met> {
  const cluster = new Cluster({ seed: 1, ...options })
  const members = await cluster.startMany(count)
  cluster.until(() => cluster.isWhole, 10_000)
  cluster.clock.advanceNow(300 + (options.seed ?? 1) * 37)
  return { cluster, members: members as [Member, Member, Member, ...Member[]] }
}

/** Each of `senders` sends a message a millisecond, as far as there is room. */
export function talk(cluster: Cluster, senders: readonly Member[], ms: number, bytes = 64): void {
  for (let at = 0; at < ms; at++) {
    for (const member of senders) if (member.link.room() > 0) member.send(bytes)
    cluster.clock.advanceNow(1)
  }
}

/** How many messages of `from` a member has, each once. */
export function gotOf(member: Member, from: Member): number {
  return member.got.get(from.link.self)?.filter((times) => times === 1).length ?? 0
}

/** What members were told about deaths. */
export function deaths(cluster: Cluster): string[] {
  return cluster.members.flatMap(({ log }) => log.filter((line) => line.endsWith('dead')))
}
