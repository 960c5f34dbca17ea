import type { Transport } from '../../core/transport.ts'
import type { LinkReceiver, PeerId, PeerState } from './link.ts'
import type { Peer } from './peer.ts'

/** The peers of a link: live ones, and the last that died or left. Tells the layer above, and the transport. */
export class Roster {
  /** Alive and suspect ones. */
  live: readonly Peer[] = []
  readonly #peers = new Map<PeerId, Peer>()
  readonly #transport: Transport
  readonly #receiver: LinkReceiver
  readonly #goneMax: number

  constructor(transport: Transport, receiver: LinkReceiver, goneMax: number) {
    this.#transport = transport
    this.#receiver = receiver
    this.#goneMax = goneMax
  }

  get(id: PeerId): Peer | undefined {
    return this.#peers.get(id)
  }

  all(): Iterable<Peer> {
    return this.#peers.values()
  }

  /** Adds a peer, or takes one back that was dead: it is alive. */
  welcome(peer: Peer): void {
    this.#peers.set(peer.id, peer)
    peer.state = 'alive'
    this.#count()
    this.#receiver.peer(peer.info())
  }

  /** Sets the state of a peer. `nowMs` is when it died or left. */
  set(peer: Peer, state: PeerState, nowMs: number): void {
    if (peer.state === state) return
    const wasLive = peer.isLive
    peer.state = state
    if (wasLive && !peer.isLive) {
      peer.goneMs = peer.calledMs = nowMs
      peer.slow = false
      this.#count()
      this.#forgetGone()
    }
    this.#receiver.peer(peer.info())
  }

  /** Whether a peer is behind and not waited for. */
  setSlow(peer: Peer, slow: boolean): void {
    if (peer.slow === slow) return
    peer.slow = slow
    this.#receiver.peer(peer.info())
  }

  #count(): void {
    this.live = [...this.#peers.values()].filter((peer) => peer.isLive)
    this.#transport.know(this.live.map((peer) => peer.address))
  }

  #forgetGone(): void {
    let gone = this.#peers.size - this.live.length
    while (gone-- > this.#goneMax) {
      let oldest: Peer | undefined
      for (const peer of this.#peers.values())
        if (!peer.isLive && (oldest === undefined || peer.goneMs < oldest.goneMs)) oldest = peer
      this.#peers.delete(oldest!.id)
    }
  }
}
