import type { PeerId, PeerInfo } from './link/link.ts'

/** What `mesh.on` tells, by name. */
export interface MeshEvents {
  /** A peer came, or its state changed. */
  peer: { peer: PeerInfo }
  /** Messages of a peer will never come: states are compared. Also when a peer is met for the first time. */
  lost: { peer: PeerId }
  /** A peer's clock is ahead of the own by more than `maxDrift`. It is not followed; told at most once in 10 s for each peer. */
  drift: { peer: PeerId; aheadMs: number }
  /** Something failed that the mesh goes on without: a socket, a message that cannot be read. */
  error: { error: unknown }
}
