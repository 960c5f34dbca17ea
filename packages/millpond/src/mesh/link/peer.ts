import type { TransportAddress } from '../../core/transport.ts'
import type { Arrivals } from './arrivals.ts'
import { Grant } from './grant.ts'
import type { PeerId, PeerInfo, PeerState } from './link.ts'
import { PeerCounts } from './link-stats.ts'
import type { Reassembly } from './reassembly.ts'
import { RoundTrip } from './round-trip.ts'

/** Everything that a link knows of one process life of another member. The parts of the link keep it up to date. */
export class Peer {
  readonly id: PeerId
  readonly name: string
  address: TransportAddress
  state: PeerState = 'alive'
  readonly roundTrip: RoundTrip = new RoundTrip()
  readonly counts: PeerCounts = new PeerCounts()

  // What comes from it.
  arrivals: Arrivals
  readonly reassembly: Reassembly
  /** Datagrams that came since it was last told how far they have. */
  unconfirmed = 0
  /** When it has to be told. */
  confirmAtMs: number = Number.POSITIVE_INFINITY
  /** How many datagrams it may have under way to here. */
  readonly grant: Grant

  // What goes to it.
  /** It has everything up to this sequence number. */
  acknowledged: number
  /** How many more it takes. */
  window: number
  /** It is behind, and not waited for. */
  slow = false
  /** Since when (attentive) it has been waited for to confirm what had been sent by then, up to `judgedFrom`. */
  judgedSinceMs: number
  judgedFrom: number
  /** How late its event loop was lately, as it says. */
  lagMs = 0

  // Whether it lives. Times are attentive ones: see LocalHealth.
  /** When something came from it last. */
  heardMs: number
  /** When somebody else had heard it last. */
  vouchedMs: number
  /** When it was last probed. */
  probedMs: number = Number.NEGATIVE_INFINITY
  probes = 0
  /** SWIM's incarnation number: the peer raises it to refute a suspicion. */
  life = 1
  /** When it died or left, and when it was last called since. */
  goneMs = 0
  calledMs = 0

  constructor(start: PeerStart) {
    this.id = start.id
    this.name = start.name
    this.address = start.address
    this.arrivals = start.arrivals
    this.reassembly = start.reassembly
    this.grant = new Grant(start.window)
    this.window = start.window
    this.acknowledged = this.judgedFrom = start.acknowledged
    this.heardMs = this.vouchedMs = this.judgedSinceMs = start.attentiveMs
  }

  /** Alive, or only suspected not to be. */
  get isLive(): boolean {
    return this.state === 'alive' || this.state === 'suspect'
  }

  /** Whether it is waited for. */
  get keepsUp(): boolean {
    return this.isLive && !this.slow
  }

  info(): PeerInfo {
    const { id, name, address, state, slow } = this
    return { id, name, address, state, slow, roundTripMs: this.roundTrip.medianMs }
  }
}

export interface PeerStart {
  readonly id: PeerId
  readonly name: string
  readonly address: TransportAddress
  readonly arrivals: Arrivals
  readonly reassembly: Reassembly
  readonly window: number
  readonly acknowledged: number
  readonly attentiveMs: number
}
