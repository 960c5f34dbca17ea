import type { OpenPacket } from '../security/packet-sealer.ts'
import { STATUS_BYTES } from './flow.ts'
import type { LinkParts } from './link-parts.ts'
import { isLoud, nakDelayMs } from './nak-delay.ts'
import { wholeSequence } from './outbox.ts'
import { LinkFlags, PacketType } from './packet-type.ts'
import type { Peer } from './peer.ts'
import { NAK_DATAGRAMS_MAX, NAK_HEAD_BYTES, NAK_RANGE_BYTES } from './repairs.ts'
import { HEARTBEAT_BYTES, PART_HEAD_BYTES } from './sending.ts'

/**
 * Messages of others: each is handed up once, as soon as it has come, whatever is missing before it. What is missing is
 * asked for, what is lost for good is told, and senders hear how far this process is.
 */
export class Receiving {
  readonly #parts: LinkParts
  /** Ranges of one request: first, count, first, count ... */
  readonly #ranges: number[] = new Array(2 * RANGES_MAX).fill(0)

  constructor(parts: LinkParts) {
    this.#parts = parts
  }

  /** A datagram with a message, or with a part of one. */
  message(peer: Peer, packet: OpenPacket, nowMs: number): void {
    const { arrivals, counts } = peer
    const { body } = packet
    const seq = wholeSequence(arrivals.highest, packet.sequence)
    const skipped = Math.max(0, seq - arrivals.highest - 1)
    const lost = arrivals.lost
    const wasMissing = seq <= arrivals.highest
    if (!arrivals.take(seq, skipped > 0 ? nowMs + this.#delayMs(peer) : nowMs)) {
      counts.duplicates++
      return
    }
    if (wasMissing) counts.repaired++
    else peer.grant.came(skipped)
    counts.missed += skipped
    counts.received++
    counts.receivedBytes += body.length
    if (arrivals.missing > 0) this.#missing(peer, seq - packet.depth)
    if (packet.type === PacketType.message) this.#parts.receiver.message(peer.id, body)
    else this.#part(peer, seq, body)
    if (arrivals.lost > lost) this.#tellLost(peer, arrivals.lost - lost)
    this.#confirmSoon(peer, nowMs)
  }

  #part(peer: Peer, seq: number, body: Buffer): void {
    const { reassembly, arrivals } = peer
    if (body.length < PART_HEAD_BYTES) return
    const index = body[0]!
    const overflows = reassembly.overflows
    const whole = reassembly.add(seq - index, index, body[1]!, body.subarray(PART_HEAD_BYTES))
    if (whole !== undefined) this.#parts.receiver.message(peer.id, whole)
    reassembly.settle(arrivals.contiguous)
    if (reassembly.overflows > overflows) this.#tellLost(peer, 0)
  }

  /** A peer says what it sent last. */
  heartbeat(peer: Peer, packet: OpenPacket, nowMs: number): void {
    const { arrivals } = peer
    if (packet.body.length < HEARTBEAT_BYTES) return
    peer.life = Math.max(peer.life, packet.body.readUInt32LE(0))
    const seq = wholeSequence(arrivals.highest, packet.sequence)
    const lost = arrivals.lost
    if (seq > arrivals.highest) {
      peer.counts.missed += seq - arrivals.highest
      arrivals.reveal(seq, nowMs + this.#delayMs(peer))
    }
    this.#missing(peer, seq - packet.depth)
    if (arrivals.lost > lost) this.#tellLost(peer, arrivals.lost - lost)
    if ((packet.flags & LinkFlags.statusWanted) !== 0) this.confirm(peer, nowMs, packet.body.readUInt32LE(4))
  }

  /** Somebody asks a peer of ours for a repair, so loud that all hear it. */
  heardNak(asked: Peer, body: Buffer, nowMs: number): void {
    const untilMs = nowMs + this.#askAgainMs(asked)
    for (let at = NAK_HEAD_BYTES; at + NAK_RANGE_BYTES <= body.length; at += NAK_RANGE_BYTES) {
      const count = Math.min(NAK_DATAGRAMS_MAX, body.readUInt16LE(at + 6))
      asked.counts.naksSuppressed += asked.arrivals.heardAsk(body.readUIntLE(at, 6), count, untilMs)
    }
  }

  /** A peer died or left: what is known to be missing never comes. */
  gone(peer: Peer): void {
    const { missing, highest } = peer.arrivals
    peer.confirmAtMs = Number.POSITIVE_INFINITY
    if (missing === 0) return
    peer.arrivals.giveUpBelow(highest + 1)
    this.#tellLost(peer, missing)
  }

  /** Asks and confirms where it is time. Returns when it has to look again. */
  look(nowMs: number): number {
    let nextMs = Number.POSITIVE_INFINITY
    for (const peer of this.#parts.roster.live) {
      if (peer.arrivals.nextAskMs <= nowMs) this.#ask(peer, nowMs)
      if (peer.confirmAtMs <= nowMs) this.confirm(peer, nowMs, 0)
      nextMs = Math.min(nextMs, peer.arrivals.nextAskMs, peer.confirmAtMs)
    }
    return nextMs
  }

  /** Tells a peer how far its messages have come. `echo`: the stamp of its heartbeat that asked, or 0. */
  confirm(peer: Peer, nowMs: number, echo: number): void {
    const { outbox, health } = this.#parts
    const { scratch } = outbox
    peer.confirmAtMs = Number.POSITIVE_INFINITY
    peer.unconfirmed = 0
    peer.counts.statusesSent++
    scratch.writeUIntLE(peer.arrivals.contiguous, 0, 6)
    scratch.writeUInt16LE(peer.grant.datagrams, 6)
    scratch.writeUInt16LE(Math.min(0xffff, Math.round(health.lagMs(nowMs))), 8)
    scratch.writeUInt32LE(echo, 10)
    outbox.to(peer, PacketType.status, 0, STATUS_BYTES)
  }

  #confirmSoon(peer: Peer, nowMs: number): void {
    const share = Math.ceil(this.#parts.roster.live.length / 4)
    if (++peer.unconfirmed >= Math.min(CONFIRM_DATAGRAMS * share, peer.grant.datagrams >> 2)) {
      this.confirm(peer, nowMs, 0)
    } else if (peer.confirmAtMs === Number.POSITIVE_INFINITY) {
      peer.confirmAtMs = nowMs + CONFIRM_MS * share
      this.#parts.agenda.by(peer.confirmAtMs)
    }
  }

  /** Something is missing: gives up what is below `low`, and sees that the rest is asked for. */
  #missing(peer: Peer, low: number): void {
    const { arrivals } = peer
    if (low > arrivals.contiguous + 1) arrivals.giveUpBelow(low)
    if (arrivals.missing > 0) this.#parts.agenda.by(arrivals.nextAskMs)
  }

  #ask(peer: Peer, nowMs: number): void {
    const { outbox, roster, random } = this.#parts
    const { arrivals } = peer
    const ranges = this.#ranges
    const lost = arrivals.lost
    const firstMs = this.#askAgainMs(peer)
    const again = { firstMs, mostMs: Math.max(ASK_MS_MOST, firstMs), times: ASK_TIMES }
    const countMax = Math.min(NAK_DATAGRAMS_MAX, peer.grant.datagrams >> 2)
    const used = arrivals.due(nowMs, again, random, ranges, countMax)
    if (arrivals.lost > lost) this.#tellLost(peer, arrivals.lost - lost)
    if (used === 0) return
    outbox.scratch.writeUInt32LE(peer.id >>> 0, 0)
    outbox.scratch.writeUInt32LE(Math.floor(peer.id / 2 ** 32), 4)
    let end = NAK_HEAD_BYTES
    for (let at = 0; at < used; at += 2) {
      outbox.scratch.writeUIntLE(ranges[at]!, end, 6)
      outbox.scratch.writeUInt16LE(ranges[at + 1]!, end + 6)
      end += NAK_RANGE_BYTES
    }
    peer.counts.naksSent++
    if (isLoud(roster.live.length)) outbox.toAll(PacketType.nak, LinkFlags.loud, end)
    else outbox.to(peer, PacketType.nak, 0, end)
  }

  #tellLost(peer: Peer, datagrams: number): void {
    peer.counts.lost += datagrams
    peer.reassembly.settle(peer.arrivals.contiguous)
    this.#parts.receiver.lost(peer.id)
  }

  #delayMs(peer: Peer): number {
    return nakDelayMs(this.#parts.roster.live.length, peer.roundTrip.timerMs, this.#parts.random)
  }

  #askAgainMs(peer: Peer): number {
    return Math.max(ASK_MS_FIRST, 3 * peer.roundTrip.timerMs)
  }
}

/** Confirmations: after so many datagrams, or so many milliseconds; in larger groups after more, so that a sender hears as many. */
const CONFIRM_DATAGRAMS = 64
const CONFIRM_MS = 20
/** Requests: the second after 4 ms, doubling to 64 ms; after 32, about 1.9 s, it is given up. */
const ASK_MS_FIRST = 4
const ASK_MS_MOST = 64
const ASK_TIMES = 32
/** Ranges in a request. */
const RANGES_MAX = 32
