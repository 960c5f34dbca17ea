import type { RemovalReason } from '../../memory/policy.ts'
import type { PeerId } from '../link/link.ts'

/** What `map.on` tells, by name. Values are never part of an event. */
export interface MapEvents {
  /** A key has a value from now on. `origin` is the peer who set it: `local` is true if that is this process. */
  set: { key: string; origin: PeerId; local: boolean }
  /**
   * A value has left. `delete`: a peer deleted it. `invalidate`: a peer changed the key, and its value is not kept here.
   * `evict` and `expire` happen here alone: `local` is true.
   */
  remove: { key: string; reason: Exclude<RemovalReason, 'replace'>; origin: PeerId; local: boolean }
  clear: { origin: PeerId; local: boolean }
  /** Two peers changed a key without knowing of each other. The later change has won, or with `evict` the value has left. */
  conflict: { key: string; winner: PeerId; loser: PeerId; policy: 'latest' | 'evict' }
  /** A peer changed a key that was read here within the `readWindow`: what was read may have been acted upon. */
  overtaken: { key: string; readAgoMs: number; reason: 'set' | 'delete' | 'invalidate'; origin: PeerId }
  /** Everything that was held was dropped, because it could not be known any more to be current. */
  reset: { reason: 'away' | 'asked' }
  /** Peers have opened the map with other options: `sync`, or with or without a bound. Who holds what is not as either says. */
  mismatch: { peer: PeerId; sync: string; bounded: boolean }
  /** A value that a peer has sent cannot be decoded: the key is a miss. */
  decodeError: { key: string; origin: PeerId; error: unknown }
}
