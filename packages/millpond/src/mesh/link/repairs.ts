import type { LinkParts } from './link-parts.ts'
import { LinkFlags } from './packet-type.ts'
import type { Peer } from './peer.ts'
import { EVERYONE } from './sent-ring.ts'

/** A request for repair: u64 of whom, then ranges of u48 first, u16 count. */
export const NAK_HEAD_BYTES = 8
export const NAK_RANGE_BYTES = 8
/** So many datagrams one request may ask for: half of what a default socket buffer of Linux holds. */
export const NAK_DATAGRAMS_MAX = 64

/**
 * Answers requests for repair: the same bytes again, to who asked, or to all where several miss them. What is on its way
 * is not sent twice: a number rests for 1.5 round trips after its repair. What is gone from the ring is not answered: every
 * packet says how far back the ring goes.
 */
export class Repairs {
  /** Datagrams that were sent to all again. */
  toAll = 0
  readonly #parts: LinkParts

  constructor(parts: LinkParts) {
    this.#parts = parts
  }

  /** A peer asks this process. */
  nak(asker: Peer, flags: number, body: Buffer, nowMs: number): void {
    asker.counts.naksReceived++
    const isLoud = (flags & LinkFlags.loud) !== 0
    let left = NAK_DATAGRAMS_MAX
    for (let at = NAK_HEAD_BYTES; at + NAK_RANGE_BYTES <= body.length && left > 0; at += NAK_RANGE_BYTES) {
      const first = body.readUIntLE(at, 6)
      const count = Math.min(left, body.readUInt16LE(at + 6))
      left -= count
      for (let seq = first; seq < first + count; seq++) {
        this.#repair(seq, asker, isLoud, nowMs)
      }
    }
  }

  #repair(seq: number, asker: Peer, isLoud: boolean, nowMs: number): void {
    const { ring, outbox } = this.#parts
    const datagram = ring.get(seq)
    if (datagram === undefined) return
    const lingerMs = Math.max(LINGER_MS_MIN, 1.5 * asker.roundTrip.timerMs)
    const to = ring.repair(seq, isLoud ? EVERYONE : asker.id, nowMs, lingerMs)
    if (to === undefined) return
    if (to === EVERYONE) this.toAll++
    else asker.counts.retransmitted++
    outbox.again(datagram, to === EVERYONE ? undefined : asker.address)
  }
}

const LINGER_MS_MIN = 2.5
