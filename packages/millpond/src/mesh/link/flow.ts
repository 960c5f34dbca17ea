import type { LinkParts } from './link-parts.ts'
import type { Peer } from './peer.ts'
import { sinceStamp } from './round-trip.ts'

/** A status: how far a receiver is. u48 contiguous, u16 window, u16 lag in ms, u32 echo of a heartbeat's stamp or 0. */
export const STATUS_BYTES = 14

/**
 * How much may be sent: no further than the slowest peer's window, so that nobody is flooded. A peer that has not confirmed
 * within 2 s what was sent is slow: it is not waited for any more until it has caught up, and if it is behind the ring by
 * then, it learns so from the next packet and compares states. (Aeron's min flow control, with its receiver timeout.)
 */
export class Flow {
  readonly #parts: LinkParts
  #limit = Number.POSITIVE_INFINITY
  #acknowledged = 0
  /** How many peers are waited for. */
  #waitsFor = 0

  constructor(parts: LinkParts) {
    this.#parts = parts
  }

  /** How many datagrams may be sent now. */
  room(): number {
    return Math.max(0, Math.min(this.#window, this.#limit - this.#parts.ring.highest))
  }

  /** How many may be under way to anybody: no more than can be repaired, however long they are. */
  get #window(): number {
    const { limits, outbox } = this.#parts
    const whole = Math.floor(limits.ringBytes / 4 / outbox.bodyBytesMax)
    return Math.min(limits.windowDatagrams, Math.max(WINDOW_LEAST, whole))
  }

  /** Every live peer that keeps up has everything up to here. */
  acknowledged(): number {
    return this.#waitsFor === 0 ? this.#parts.ring.highest : this.#acknowledged
  }

  /** Whether somebody who is waited for has not confirmed everything. */
  isOpen(): boolean {
    return this.acknowledged() < this.#parts.ring.highest
  }

  /** Whether somebody has to be asked how far it is: slow ones too, as only that shows that they have caught up. */
  wantsStatus(): boolean {
    const { roster, ring } = this.#parts
    for (const peer of roster.live) if (peer.acknowledged < ring.highest) return true
    return false
  }

  /** A peer says how far it is. */
  status(peer: Peer, body: Buffer, nowMs: number): void {
    if (body.length < STATUS_BYTES) return
    const contiguous = body.readUIntLE(0, 6)
    peer.counts.statusesReceived++
    if (contiguous > this.#parts.ring.highest) return
    peer.window = body.readUInt16LE(6)
    peer.lagMs = body.readUInt16LE(8)
    const echo = body.readUInt32LE(10)
    if (echo !== 0) peer.roundTrip.add(sinceStamp(echo, nowMs))
    if (contiguous > peer.acknowledged) {
      peer.acknowledged = contiguous
      if (contiguous >= peer.judgedFrom) this.#judgeFromNow(peer, nowMs)
      if (peer.slow && contiguous >= this.#parts.ring.highest - peer.window / 2) this.#setSlow(peer, false, nowMs)
    }
    this.refresh()
  }

  /** Looks who is slow. */
  judge(nowMs: number): void {
    for (const peer of this.#parts.roster.live) {
      if (peer.slow) continue
      const judgedMs = this.#parts.health.attentiveMs(nowMs) - peer.judgedSinceMs
      if (peer.acknowledged >= peer.judgedFrom) this.#judgeFromNow(peer, nowMs)
      else if (judgedMs > SLOW_MS) this.#setSlow(peer, true, nowMs)
    }
  }

  /** Peers came, went, or said how far they are: looks at all again, and tells the layer above when it gained. */
  refresh(): void {
    const { ring, roster, receiver } = this.#parts
    const hadRoom = this.room() > 0
    const before = this.acknowledged()
    const window = this.#window
    let limit = Number.POSITIVE_INFINITY
    let acknowledged = ring.highest
    this.#waitsFor = 0
    for (const peer of roster.live) {
      if (peer.slow) continue
      this.#waitsFor++
      limit = Math.min(limit, peer.acknowledged + Math.min(peer.window, window))
      acknowledged = Math.min(acknowledged, peer.acknowledged)
    }
    this.#limit = limit
    this.#acknowledged = Math.max(before, acknowledged)
    if (this.#acknowledged > before || (!hadRoom && this.room() > 0)) receiver.room()
  }

  #judgeFromNow(peer: Peer, nowMs: number): void {
    peer.judgedFrom = this.#parts.ring.highest
    peer.judgedSinceMs = this.#parts.health.attentiveMs(nowMs)
  }

  #setSlow(peer: Peer, slow: boolean, nowMs: number): void {
    this.#judgeFromNow(peer, nowMs)
    this.#parts.roster.setSlow(peer, slow)
    this.refresh()
  }
}

const WINDOW_LEAST = 16
/** What was sent so long ago is confirmed, or the peer is slow. */
const SLOW_MS = 2000
