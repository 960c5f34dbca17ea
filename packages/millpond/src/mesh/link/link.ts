import type { TransportAddress } from '../../core/transport.ts'
import type { LinkStats } from './link-stats.ts'

/**
 * A process's place in the mesh, as the layers above see it: who is there, messages to all that arrive exactly once or
 * are known to be lost, and sealed streams to one peer. Everything that comes up through it is authenticated.
 */
export interface Link {
  /** This process: a random safe integer above zero, new at each start. */
  readonly self: PeerId
  /** Where others reach this process. */
  readonly address: TransportAddress
  /** The longest message that `send` takes. Longer ones are announced and fetched by a stream. */
  readonly messageBytesMax: number
  /** The longest message that fits one datagram now: messages are best filled up to it. */
  readonly datagramBodyBytes: number
  /** How many datagrams may be sent now without outrunning the slowest live peer; 0: wait for `LinkReceiver.room`. */
  room(): number
  /**
   * Sends a message to all peers, reliably while they keep up. `body` may be reused after the call. Returns its sequence
   * number: that of its last datagram, to be compared with `acknowledged()`. Throws `OptionError` where it is too long.
   */
  send(body: Uint8Array): number
  /** Sends a small message once, without repair, to one peer or to all. */
  hint(body: Uint8Array, to?: PeerId): void
  /** The highest sequence number up to which every live peer that keeps up has received everything. Never goes back. */
  acknowledged(): number
  /** The highest sequence number that was sent. */
  sent(): number
  /** Every peer known, dead and left ones for a while too. */
  peers(): readonly PeerInfo[]
  /** Opens a sealed stream of messages to a live peer. */
  connect(to: PeerId): Promise<LinkStream>
  /** How the link and each peer do: a copy, made when it is asked for. */
  stats(): LinkStats
  /** Says good-bye, after what was sent has been acknowledged or 500 ms, and closes. */
  leave(): Promise<void>
}

/** A member's process life. A process that starts again is a new peer. */
export type PeerId = number

/** SWIM's states of a peer. */
export type PeerState = 'alive' | 'suspect' | 'dead' | 'left'

/** What is known of a peer. */
export interface PeerInfo {
  readonly id: PeerId
  /** What the process calls itself. */
  readonly name: string
  readonly address: TransportAddress
  readonly state: PeerState
  /** It fell behind the ring: it is repaired by comparing states, and nobody waits for it. */
  readonly slow: boolean
  /** Median time of a round trip to it, in milliseconds; `undefined` until measured. */
  readonly roundTripMs: number | undefined
}

/** The receiving side of a link. Called from the event loop, never from within a call to the link. */
export interface LinkReceiver {
  /** A message of a peer: each exactly once, in any order. `body` may be reused after the call returns. */
  message(from: PeerId, body: Uint8Array): void
  /** A hint of a peer: lost, doubled or late like any datagram. */
  hint(from: PeerId, body: Uint8Array): void
  /** There is room to send again, or `acknowledged` grew. */
  room(): void
  /** A peer came, or its state changed. */
  peer(peer: PeerInfo): void
  /**
   * Messages of this peer will never come: states have to be compared, with whom is alive. Told too whenever a peer is met,
   * right after it was told as alive, and when one dies or leaves of which messages were known to be missing.
   */
  lost(from: PeerId): void
  /** A peer opened a stream. */
  stream(from: PeerId, stream: LinkStream): void
}

/** A sealed stream of messages of up to 1 MiB each. */
export interface LinkStream {
  write(message: Uint8Array): Promise<void>
  /** The next message; `undefined` at the end. Rejects when the stream broke or somebody meddled with it. */
  read(): Promise<Uint8Array | undefined>
  end(): void
  destroy(): void
}
