import type { PacketCounts } from '../security/packet-sealer.ts'
import type { PeerId, PeerState } from './link.ts'
import type { Peer } from './peer.ts'

/** What passed between this process and one peer, in datagrams unless said otherwise. Grows while the peer is known. */
export class PeerCounts {
  /** Datagrams with messages that came for the first time. */
  received = 0
  /** Bytes of messages in them. */
  receivedBytes = 0
  /** Came again. */
  duplicates = 0
  /** Were seen to be missing. */
  missed = 0
  /** Were missing, and came later or when asked for. */
  repaired = 0
  /** Were missing, and never come. */
  lost = 0
  /** Requests for repair that were sent to it. */
  naksSent = 0
  /** Datagrams that were not asked for, as somebody else had asked. */
  naksSuppressed = 0
  /** Requests for repair that came from it. */
  naksReceived = 0
  /** Datagrams that were sent to it again. */
  retransmitted = 0
  /** Confirmations that it sent, and that were sent to it. */
  statusesReceived = 0
  statusesSent = 0
}

/** How a link and its peers do, as `mesh.status()` shows it. A copy: it does not change. */
export interface LinkStats {
  /** Messages that were sent to all. */
  readonly messages: number
  /** Datagrams that carried them, repairs not counted. */
  readonly sent: number
  /** Bytes of datagrams that carried them. */
  readonly sentBytes: number
  /** Datagrams that were sent to all a second time, because several asked. */
  readonly retransmittedToAll: number
  /** What became of all datagrams that were sealed and that came: `sealed`, `opened`, and why not. */
  readonly packets: Readonly<PacketCounts>
  /** Datagrams and bytes that are kept for repair. */
  readonly ringDatagrams: number
  readonly ringBytes: number
  /** How many datagrams may be sent now. */
  readonly room: number
  /** How late the event loop was lately, in milliseconds. */
  readonly lagMs: number
  /** Who was heard, and has not proved yet that it lives. */
  readonly strangers: number
  readonly peers: readonly PeerStats[]
}

/** One peer of `LinkStats`. */
export interface PeerStats extends Readonly<PeerCounts> {
  readonly id: PeerId
  readonly name: string
  readonly state: PeerState
  readonly slow: boolean
  readonly roundTripMs: number | undefined
  readonly lagMs: number
  /** Datagrams that were sent and that it has not confirmed. */
  readonly unacknowledged: number
  /** Datagrams of it that are missing now. */
  readonly missing: number
  /** Bytes of messages of it that came in part. */
  readonly reassemblyBytes: number
}

/** What is shown of a peer, when `sent` is the highest number that was sent. */
export function peerStats(peer: Peer, sent: number): PeerStats {
  return {
    ...peer.counts,
    id: peer.id,
    name: peer.name,
    state: peer.state,
    slow: peer.slow,
    roundTripMs: peer.roundTrip.medianMs,
    lagMs: peer.lagMs,
    unacknowledged: peer.isLive ? sent - peer.acknowledged : 0,
    missing: peer.arrivals.missing,
    reassemblyBytes: peer.reassembly.bytes,
  }
}
