import { sleep } from '../../core/clock.ts'
import { ClosedError, MeshError } from '../../core/errors.ts'
import type { Transport, TransportAddress, TransportStream } from '../../core/transport.ts'
import type { OpenPacket } from '../security/packet-sealer.ts'
import type { StreamSealer } from '../security/stream-sealer.ts'
import { readPeerId } from '../wire/packet.ts'
import { Detector } from './detector.ts'
import { Flow } from './flow.ts'
import type { Link, LinkStream, PeerId, PeerInfo } from './link.ts'
import type { LinkParts } from './link-parts.ts'
import { type LinkStats, peerStats } from './link-stats.ts'
import { Meetings } from './meetings.ts'
import { PacketType } from './packet-type.ts'
import type { Peer } from './peer.ts'
import { Receiving } from './receiving.ts'
import { NAK_HEAD_BYTES, Repairs } from './repairs.ts'
import { Sending } from './sending.ts'
import { MESSAGE_BYTES_MAX } from './settings.ts'

/** A link over a transport: hands each packet to the part that it concerns. Made by `openLink`. */
export class MeshLink implements Link {
  readonly self: PeerId
  readonly address: TransportAddress
  readonly messageBytesMax: number = MESSAGE_BYTES_MAX
  readonly #parts: LinkParts
  readonly #transport: Transport
  readonly #streams: StreamSealer
  readonly #flow: Flow
  readonly #sending: Sending
  readonly #repairs: Repairs
  readonly #receiving: Receiving
  readonly #detector: Detector
  readonly #meetings: Meetings
  #accepting = 0
  #leaving: Promise<void> | undefined
  #closed = false

  constructor(parts: LinkParts, transport: Transport, streams: StreamSealer, name: string, address: TransportAddress) {
    this.#parts = parts
    this.#transport = transport
    this.#streams = streams
    this.self = parts.sealer.self
    this.address = address
    this.#flow = new Flow(parts)
    this.#sending = new Sending(parts, this.#flow)
    this.#repairs = new Repairs(parts)
    this.#receiving = new Receiving(parts)
    this.#detector = new Detector(parts, this.#sending, this.#receiving, this.#flow)
    this.#meetings = new Meetings(parts, { name, address }, this.#sending, this.#receiving, this.#flow)
  }

  get datagramBodyBytes(): number {
    return this.#parts.outbox.bodyBytesMax
  }

  room(): number {
    return this.#closed ? 0 : this.#flow.room()
  }

  send(body: Uint8Array): number {
    if (this.#closed) throw new ClosedError('the link')
    return this.#sending.send(body)
  }

  hint(body: Uint8Array, to?: PeerId): void {
    const { outbox, roster } = this.#parts
    if (this.#closed || body.length > outbox.bodyBytesMax) return
    outbox.scratch.set(body)
    const peer = to === undefined ? undefined : roster.get(to)
    if (to === undefined) outbox.toAll(PacketType.hint, 0, body.length)
    else if (peer?.isLive) outbox.to(peer, PacketType.hint, 0, body.length)
  }

  acknowledged(): number {
    return this.#flow.acknowledged()
  }

  sent(): number {
    return this.#parts.ring.highest
  }

  peers(): readonly PeerInfo[] {
    return [...this.#parts.roster.all()].map((peer) => peer.info())
  }

  stats(): LinkStats {
    const { ring, sealer, health, clock, roster } = this.#parts
    return {
      messages: this.#sending.messages,
      sent: ring.highest,
      sentBytes: this.#sending.bytes,
      retransmittedToAll: this.#repairs.toAll,
      packets: { ...sealer.counts },
      ringDatagrams: ring.highest - ring.low + 1,
      ringBytes: ring.bytes,
      room: this.room(),
      lagMs: health.lagMs(clock.monotonic()),
      strangers: this.#meetings.strangers,
      peers: [...roster.all()].map((peer) => peerStats(peer, ring.highest)),
    }
  }

  async connect(to: PeerId): Promise<LinkStream> {
    const peer = this.#parts.roster.get(to)
    if (this.#closed) throw new ClosedError('the link')
    if (!peer?.isLive)
      throw new MeshError(`the peer ${peer?.name ?? to} is not there; take one of peers() that is alive`)
    return await this.#streams.open(await this.#transport.connect(peer.address), to)
  }

  /** Somebody opened a stream: hands it up once it is known who. */
  async accept(stream: TransportStream): Promise<void> {
    if (this.#closed || this.#accepting >= ACCEPTING_MAX) return stream.destroy()
    this.#accepting++
    try {
      const { from, stream: sealed } = await this.#streams.accept(stream)
      const isLive = this.#parts.roster.get(from)?.isLive === true
      if (isLive && !this.#closed) this.#parts.receiver.stream(from, sealed)
      else sealed.destroy()
    } catch {
      // It was not of this mesh, or broke: the sealer has destroyed it.
    } finally {
      this.#accepting--
    }
  }

  /** Does what is due by now, `lateMs` after it was. Returns when it has to look again. */
  look(nowMs: number, lateMs: number): number {
    this.#parts.health.timer(nowMs, lateMs)
    this.#flow.judge(nowMs)
    return Math.min(
      this.#sending.look(nowMs),
      this.#receiving.look(nowMs),
      this.#meetings.look(nowMs),
      this.#detector.look(nowMs),
    )
  }

  /** A datagram came. */
  datagram(bytes: Uint8Array, host: string, port: number): void {
    if (this.#closed) return
    const packet = this.#parts.sealer.open(bytes)
    if (packet === undefined) return
    const nowMs = this.#parts.clock.monotonic()
    const peer = this.#parts.roster.get(packet.from)
    if (peer?.isLive) this.#detector.heard(peer, nowMs)
    if (packet.type === PacketType.hello) this.#meetings.hello(packet, host, port, nowMs)
    else if (peer === undefined || peer.state === 'dead') this.#meetings.heard(packet.from, host, port, nowMs)
    else if (peer.state !== 'left') this.#packet(peer, packet, nowMs)
  }

  #packet(peer: Peer, packet: OpenPacket, nowMs: number): void {
    const { type, body } = packet
    if (type === PacketType.message || type === PacketType.part) this.#receiving.message(peer, packet, nowMs)
    else if (type === PacketType.status) this.#flow.status(peer, body, nowMs)
    else if (type === PacketType.heartbeat) this.#receiving.heartbeat(peer, packet, nowMs)
    else if (type === PacketType.nak) this.#nak(peer, packet.flags, body, nowMs)
    else if (type === PacketType.hint) this.#parts.receiver.hint(peer.id, body)
    else if (type === PacketType.ping) this.#detector.ping(peer, body, nowMs)
    else if (type === PacketType.ack) this.#detector.ack(peer, body, nowMs)
    else if (type === PacketType.probe) this.#detector.probe(peer, body, nowMs)
    else if (type === PacketType.vouch) this.#detector.vouch(body, nowMs)
    else if (type === PacketType.suspect) this.#detector.suspected(body, nowMs)
    else if (type === PacketType.bye) this.#left(peer, nowMs)
  }

  #nak(peer: Peer, flags: number, body: Buffer, nowMs: number): void {
    if (body.length < NAK_HEAD_BYTES) return
    const asked = readPeerId(body, 0)
    const other = this.#parts.roster.get(asked)
    if (asked === this.self) this.#repairs.nak(peer, flags, body, nowMs)
    else if (other?.isLive) this.#receiving.heardNak(other, body, nowMs)
  }

  #left(peer: Peer, nowMs: number): void {
    this.#parts.roster.set(peer, 'left', nowMs)
    this.#receiving.gone(peer)
    this.#flow.refresh()
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave()
    return this.#leaving
  }

  async #leave(): Promise<void> {
    const { clock, outbox, agenda } = this.#parts
    const untilMs = clock.monotonic() + LEAVE_MS
    while (this.#flow.isOpen() && clock.monotonic() < untilMs) {
      this.#sending.beat(clock.monotonic())
      await sleep(clock, LEAVE_BEAT_MS)
    }
    for (let byes = BYES; byes > 0; byes--) {
      outbox.toAll(PacketType.bye, 0, 0)
      if (byes > 1) await sleep(clock, BYE_MS)
    }
    this.#closed = true
    agenda.close()
    await this.#transport.close()
  }
}

/** How long leaving waits until what was sent has been confirmed, and how often it asks. */
const LEAVE_MS = 500
const LEAVE_BEAT_MS = 20
/** Good-byes, and how far apart: whoever misses them all finds out in 2 s. */
const BYES = 3
const BYE_MS = 10
/** Streams that have yet to prove who opened them. */
const ACCEPTING_MAX = 64
