import { readPeerId, writePeerId } from '../wire/packet.ts'
import type { Flow } from './flow.ts'
import type { PeerId } from './link.ts'
import type { LinkParts } from './link-parts.ts'
import { PacketType } from './packet-type.ts'
import type { Peer } from './peer.ts'
import type { Receiving } from './receiving.ts'
import { sinceStamp, stamp } from './round-trip.ts'
import type { Sending } from './sending.ts'

/**
 * Who is dead. Every peer is heard twice a second; one that is silent is pinged, then by three others too, in case only
 * the way between us is broken; then all are told that it is suspected, so that it can refute that by raising its `life`;
 * and after 1.85 s it is dead. A process whose own event loop was blocked does not count that time, and is slower to judge.
 *
 * Das, Gupta and Motivala, "SWIM: scalable weakly-consistent infection-style process group membership protocol", 2002.
 * Here everybody hears everybody, so nobody is told who is dead: each finds out, at the same time.
 */
export class Detector {
  readonly #parts: LinkParts
  readonly #sending: Sending
  readonly #receiving: Receiving
  readonly #flow: Flow

  constructor(parts: LinkParts, sending: Sending, receiving: Receiving, flow: Flow) {
    this.#parts = parts
    this.#sending = sending
    this.#receiving = receiving
    this.#flow = flow
  }

  /** An authentic packet of a live peer came. */
  heard(peer: Peer, nowMs: number): void {
    peer.heardMs = this.#parts.health.attentiveMs(nowMs)
    if (peer.state === 'suspect') this.#parts.roster.set(peer, 'alive', nowMs)
  }

  /** Probes and judges. Returns when it has to look again. */
  look(nowMs: number): number {
    const { health, roster } = this.#parts
    const attentiveMs = health.attentiveMs(nowMs)
    const suspectMs = QUIET_MS + SUSPECT_MS * health.multiplier
    const deadMs = suspectMs + DEAD_MS * health.multiplier
    let nextMs = nowMs + LOOK_MS
    for (const peer of roster.live) {
      const silentMs = attentiveMs - Math.max(peer.heardMs, peer.vouchedMs)
      if (silentMs < QUIET_MS) {
        peer.probes = 0
        nextMs = Math.min(nextMs, nowMs + QUIET_MS - silentMs)
        continue
      }
      if (silentMs >= deadMs) this.#die(peer, nowMs)
      else {
        if (silentMs >= suspectMs && peer.state === 'alive') this.#suspect(peer, nowMs)
        if (attentiveMs - peer.probedMs >= PROBE_MS) this.#probe(peer, attentiveMs, nowMs)
        nextMs = Math.min(nextMs, nowMs + PROBE_MS / 2)
      }
    }
    return nextMs
  }

  #die(peer: Peer, nowMs: number): void {
    this.#parts.roster.set(peer, 'dead', nowMs)
    this.#receiving.gone(peer)
    this.#flow.refresh()
  }

  #suspect(peer: Peer, nowMs: number): void {
    const { outbox, roster } = this.#parts
    roster.set(peer, 'suspect', nowMs)
    writePeerId(outbox.scratch, peer.id, 0)
    outbox.scratch.writeUInt32LE(peer.life, 8)
    outbox.toAll(PacketType.suspect, 0, SUSPECT_BYTES)
  }

  #probe(peer: Peer, attentiveMs: number, nowMs: number): void {
    const { outbox, roster, random } = this.#parts
    const suspectedLife = peer.state === 'suspect' ? peer.life : 0
    peer.probedMs = attentiveMs
    this.#writePing(nowMs, suspectedLife, NOBODY)
    outbox.to(peer, PacketType.ping, 0, PING_BYTES)
    if (peer.probes++ < DIRECT_PROBES) return
    const others = roster.live.filter((other) => other !== peer && other.state === 'alive')
    for (let helpers = HELPERS; helpers > 0 && others.length > 0; helpers--) {
      const [helper] = others.splice(Math.floor(random() * others.length), 1)
      writePeerId(outbox.scratch, peer.id, 0)
      outbox.scratch.writeUInt32LE(suspectedLife, 8)
      outbox.to(helper!, PacketType.probe, 0, PROBE_BYTES)
    }
  }

  #writePing(nowMs: number, life: number, behalf: PeerId): void {
    const { scratch } = this.#parts.outbox
    scratch.writeUInt32LE(stamp(nowMs), 0)
    scratch.writeUInt32LE(life, 4)
    writePeerId(scratch, behalf, 8)
  }

  /** A peer asks whether this process lives. */
  ping(peer: Peer, body: Buffer, nowMs: number): void {
    if (body.length < PING_BYTES) return
    const { outbox } = this.#parts
    this.#refute(body.readUInt32LE(4), nowMs)
    body.copy(outbox.scratch, 0, 0, PING_BYTES)
    outbox.scratch.writeUInt32LE(this.#sending.life, 4)
    outbox.to(peer, PacketType.ack, 0, PING_BYTES)
  }

  /** A peer says that it lives, to us or to whom we asked for. */
  ack(peer: Peer, body: Buffer, nowMs: number): void {
    if (body.length < PING_BYTES) return
    const { outbox, roster } = this.#parts
    const life = body.readUInt32LE(4)
    peer.life = Math.max(peer.life, life)
    peer.roundTrip.add(sinceStamp(body.readUInt32LE(0), nowMs))
    const asker = roster.get(readPeerId(body, 8))
    if (asker === undefined || !asker.isLive) return
    writePeerId(outbox.scratch, peer.id, 0)
    outbox.scratch.writeUInt32LE(life, 8)
    outbox.to(asker, PacketType.vouch, 0, PROBE_BYTES)
  }

  /** A peer asks us to ping another. */
  probe(asker: Peer, body: Buffer, nowMs: number): void {
    if (body.length < PROBE_BYTES) return
    const peer = this.#parts.roster.get(readPeerId(body, 0))
    if (peer === undefined || !peer.isLive) return
    this.#writePing(nowMs, body.readUInt32LE(8), asker.id)
    this.#parts.outbox.to(peer, PacketType.ping, 0, PING_BYTES)
  }

  /** Somebody else heard a peer that we do not hear. Once it is suspected, only a newer life of it counts. */
  vouch(body: Buffer, nowMs: number): void {
    if (body.length < PROBE_BYTES) return
    const { roster, health } = this.#parts
    const peer = roster.get(readPeerId(body, 0))
    const life = body.readUInt32LE(8)
    if (peer === undefined || !peer.isLive || (peer.state === 'suspect' && life <= peer.life)) return
    peer.life = Math.max(peer.life, life)
    peer.vouchedMs = health.attentiveMs(nowMs)
    if (peer.state === 'suspect') roster.set(peer, 'alive', nowMs)
  }

  /** A peer tells all whom it suspects. */
  suspected(body: Buffer, nowMs: number): void {
    if (body.length < SUSPECT_BYTES) return
    if (readPeerId(body, 0) === this.#parts.sealer.self) this.#refute(body.readUInt32LE(8), nowMs)
  }

  /** This process is suspected under this life: it lives, and takes the next. */
  #refute(life: number, nowMs: number): void {
    if (life < this.#sending.life) return
    this.#sending.life = life + 1
    this.#parts.health.worse(nowMs)
    this.#sending.beat(nowMs)
  }
}

const NOBODY = 0
const PING_BYTES = 16
const PROBE_BYTES = 12
const SUSPECT_BYTES = 12
/** After so long without a word a peer is probed, every so often: one and a half heartbeats. */
const QUIET_MS = 750
const PROBE_MS = 100
/** So many pings before others are asked, and how many others. */
const DIRECT_PROBES = 1
const HELPERS = 3
/** From the first probe to the suspicion, and from there to death; both times more where this process is behind itself. */
const SUSPECT_MS = 400
const DEAD_MS = 700
/** How often a blocked event loop is looked for. */
const LOOK_MS = 500
