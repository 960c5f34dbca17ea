import type { TransportAddress } from '../../core/transport.ts'
import type { OpenPacket } from '../security/packet-sealer.ts'
import { Arrivals } from './arrivals.ts'
import type { Flow } from './flow.ts'
import { type Acquaintance, type Hello, NO_CHALLENGE, readHello, writeHello } from './hello.ts'
import type { PeerId } from './link.ts'
import type { LinkParts } from './link-parts.ts'
import { LinkFlags, PacketType } from './packet-type.ts'
import { Peer } from './peer.ts'
import { Reassembly } from './reassembly.ts'
import type { Receiving } from './receiving.ts'
import type { Sending } from './sending.ts'
import { MESSAGE_BYTES_MAX } from './settings.ts'

/** Somebody who was heard and has not proved yet that it lives. */
interface Stranger {
  readonly id: PeerId
  address: TransportAddress
  /** When it is challenged next, and for the how-manieth time. */
  nextMs: number
  tries: number
  askedMs: number
  /** What had been sent when it was first answered: it may take our messages from there on. */
  answeredAt: number | undefined
}

/**
 * How peers meet. Whoever hears a stranger challenges it: 16 bytes that it has to send back. Who answers lives, and hears
 * us; so both ways are proven before anybody counts, and recordings of dead processes have no effect. A peer that was
 * taken for dead is a stranger again.
 *
 * Sequence numbers begin at what the answer says was sent: everything older comes by comparing states, and everything
 * newer as messages.
 */
export class Meetings {
  readonly #parts: LinkParts
  readonly #own: { readonly name: string; readonly address: TransportAddress }
  readonly #sending: Sending
  readonly #receiving: Receiving
  readonly #flow: Flow
  readonly #strangers = new Map<PeerId, Stranger>()
  #announceMs: number
  #announced = 0

  constructor(
    parts: LinkParts,
    own: { readonly name: string; readonly address: TransportAddress },
    sending: Sending,
    receiving: Receiving,
    flow: Flow,
  ) {
    this.#parts = parts
    this.#own = own
    this.#sending = sending
    this.#receiving = receiving
    this.#flow = flow
    this.#announceMs = parts.clock.monotonic()
  }

  /** How many strangers are being asked. */
  get strangers(): number {
    return this.#strangers.size
  }

  /** A packet came from somebody who is not known to live: asks whether it does. */
  heard(id: PeerId, host: string, port: number, nowMs: number): void {
    const known = this.#strangers.get(id)
    if (known !== undefined) return
    const stranger = this.#stranger(id, { host, port, streamPort: 0 })
    if (stranger !== undefined) this.#ask(stranger, nowMs)
  }

  /** A hello came. */
  hello(packet: OpenPacket, host: string, port: number, nowMs: number): void {
    const hello = readHello(packet.body)
    if (hello === undefined) return
    const { from, flags } = packet
    const peer = this.#parts.roster.get(from)
    if (peer?.state === 'left') return
    const address = { host, port, streamPort: hello.streamPort }
    const answered = packet.direct && (flags & LinkFlags.answers) !== 0
    const isMet = peer?.isLive === true
    if (answered && !isMet && this.#parts.sealer.prove(from, hello.answer)) this.#meet(from, address, hello, nowMs)
    const isLive = this.#parts.roster.get(from)?.isLive === true
    if (packet.direct && (flags & LinkFlags.asks) !== 0) this.#answer(from, address, hello.challenge, isLive, nowMs)
    else if (!isLive) this.heard(from, host, port, nowMs)
    if (isLive) for (const other of hello.others) this.#hearOf(other, nowMs)
  }

  /** Asks and announces where it is time. Returns when it has to look again. */
  look(nowMs: number): number {
    if (nowMs >= this.#announceMs) this.#announce(nowMs)
    let nextMs = this.#announceMs
    for (const stranger of this.#strangers.values()) {
      if (stranger.nextMs <= nowMs) {
        if (stranger.tries < TRIES) this.#ask(stranger, nowMs)
        else this.#strangers.delete(stranger.id)
      }
      if (stranger.nextMs > nowMs) nextMs = Math.min(nextMs, stranger.nextMs)
    }
    for (const peer of this.#parts.roster.all())
      if (peer.state === 'dead') nextMs = Math.min(nextMs, this.#call(peer, nowMs))
    return nextMs
  }

  /** Introduces who is known to each other: to all, as often at the start, then every 5 s, and after each meeting. */
  #announce(nowMs: number): void {
    this.#write(NO_CHALLENGE, NO_CHALLENGE)
    this.#parts.outbox.toAll(PacketType.hello, 0, this.#length)
    this.#announceMs = nowMs + (ANNOUNCE_MS[this.#announced++] ?? INTRODUCE_MS)
  }

  /** A dead peer may be back where nobody hears it: without multicast, or where both took each other for dead. */
  #call(peer: Peer, nowMs: number): number {
    const everyMs = Math.min(CALL_MS_MOST, Math.max(CALL_MS_LEAST, (nowMs - peer.goneMs) / 4))
    if (nowMs - peer.calledMs >= everyMs) {
      peer.calledMs = nowMs
      this.#write(this.#parts.sealer.challenge(peer.id), NO_CHALLENGE)
      this.#parts.outbox.to(peer, PacketType.hello, LinkFlags.asks, this.#length)
    }
    return peer.calledMs + CALL_MS_LEAST
  }

  #hearOf({ id, address }: Acquaintance, nowMs: number): void {
    const { roster, sealer } = this.#parts
    if (id === sealer.self || roster.get(id) !== undefined || this.#strangers.has(id)) return
    const stranger = this.#stranger(id, address)
    if (stranger !== undefined) this.#ask(stranger, nowMs)
  }

  /** Starts to ask a stranger, if there is room for one more. */
  #stranger(id: PeerId, address: TransportAddress): Stranger | undefined {
    if (this.#strangers.size >= STRANGERS_MAX) return undefined
    const stranger: Stranger = { id, address, nextMs: 0, tries: 0, askedMs: 0, answeredAt: undefined }
    this.#strangers.set(id, stranger)
    return stranger
  }

  #ask(stranger: Stranger, nowMs: number): void {
    const { sealer, outbox, agenda, random } = this.#parts
    stranger.askedMs = nowMs
    stranger.nextMs = nowMs + Math.min(ASK_MS_MOST, ASK_MS_FIRST * 2 ** stranger.tries++) * (0.75 + 0.5 * random())
    this.#write(sealer.challenge(stranger.id), NO_CHALLENGE)
    outbox.to(stranger, PacketType.hello, LinkFlags.asks, this.#length)
    agenda.by(stranger.nextMs)
  }

  /** Somebody asks whether we live. If it has not proved that itself, it is asked in the same packet. */
  #answer(id: PeerId, address: TransportAddress, challenge: Uint8Array, isLive: boolean, nowMs: number): void {
    const { outbox, sealer, ring, agenda } = this.#parts
    const stranger = isLive ? undefined : (this.#strangers.get(id) ?? this.#stranger(id, address))
    this.#write(isLive ? NO_CHALLENGE : sealer.challenge(id), challenge)
    outbox.to({ id, address }, PacketType.hello, LinkFlags.answers | (isLive ? 0 : LinkFlags.asks), this.#length)
    if (stranger === undefined) return
    stranger.address = address
    stranger.answeredAt ??= ring.highest
    stranger.askedMs = nowMs
    stranger.tries = Math.max(1, stranger.tries)
    if (stranger.nextMs === 0) stranger.nextMs = nowMs + ASK_MS_FIRST
    agenda.by(stranger.nextMs)
  }

  #meet(id: PeerId, address: TransportAddress, hello: Hello, nowMs: number): void {
    const { roster, receiver, agenda } = this.#parts
    const stranger = this.#strangers.get(id)
    this.#strangers.delete(id)
    const known = roster.get(id)
    if (known === undefined) this.#replace(hello.name, nowMs)
    const peer = known ?? this.#newPeer(id, address, hello, stranger, nowMs)
    if (known !== undefined) this.#takeBack(known, address, hello, nowMs)
    if (stranger?.tries === 1) peer.roundTrip.add(nowMs - stranger.askedMs)
    peer.life = hello.life
    roster.welcome(peer)
    this.#flow.refresh()
    receiver.lost(id)
    this.#receiving.confirm(peer, nowMs, 0)
    // It may not have missed us at all: it is asked how far it is, so that nobody waits for what it has.
    if (known !== undefined) this.#sending.beat(nowMs)
    this.#announceMs = Math.min(this.#announceMs, nowMs + MET_MS)
    agenda.by(this.#announceMs)
  }

  /** Whoever had this name has been replaced: a process starts again under its name. */
  #replace(name: string, nowMs: number): void {
    for (const other of this.#parts.roster.live) {
      if (other.name !== name) continue
      this.#parts.roster.set(other, 'dead', nowMs)
      this.#receiving.gone(other)
    }
  }

  #newPeer(id: PeerId, address: TransportAddress, hello: Hello, stranger: Stranger | undefined, nowMs: number): Peer {
    const { limits, health, ring } = this.#parts
    return new Peer({
      id,
      name: hello.name,
      address,
      arrivals: new Arrivals(hello.sent, limits.ringDatagrams),
      reassembly: new Reassembly(limits.reassemblyBytes, MESSAGE_BYTES_MAX),
      window: limits.windowDatagrams,
      acknowledged: stranger?.answeredAt ?? ring.highest,
      attentiveMs: health.attentiveMs(nowMs),
    })
  }

  #takeBack(peer: Peer, address: TransportAddress, hello: Hello, nowMs: number): void {
    const { limits, health } = this.#parts
    peer.address = address
    peer.arrivals = new Arrivals(hello.sent, limits.ringDatagrams)
    peer.reassembly.settle(hello.sent)
    peer.slow = false
    peer.unconfirmed = peer.probes = 0
    peer.heardMs = peer.vouchedMs = peer.judgedSinceMs = health.attentiveMs(nowMs)
    peer.judgedFrom = this.#parts.ring.highest
  }

  #length = 0

  #write(challenge: Uint8Array, answer: Uint8Array): void {
    const { outbox, ring, roster, random } = this.#parts
    const { live } = roster
    const from = live.length > INTRODUCED_MAX ? Math.floor(random() * live.length) : 0
    const others = [...live.slice(from), ...live.slice(0, from)].slice(0, INTRODUCED_MAX)
    const { name, address } = this.#own
    const hello = { life: this.#sending.life, sent: ring.highest, streamPort: address.streamPort, challenge, answer }
    this.#length = writeHello(outbox.scratch, { ...hello, name, others }, outbox.bodyBytesMax)
  }
}

/** At the start: at once, after 50 ms, after 200 ms. */
const ANNOUNCE_MS = [50, 150]
/** All who know each other are introduced to all so often, so that friends of friends meet where there is no multicast. */
const INTRODUCE_MS = 5000
/** So soon after a meeting the others are told; several meetings are told at once. */
const MET_MS = 50
const INTRODUCED_MAX = 48
/** A stranger is asked eight times: after 20, 60, 140 ms and so on. */
const ASK_MS_FIRST = 20
const ASK_MS_MOST = 500
const TRIES = 8
const STRANGERS_MAX = 256
/** Dead peers are called so often: seldom once they are dead for long. */
const CALL_MS_LEAST = 2000
const CALL_MS_MOST = 10_000
