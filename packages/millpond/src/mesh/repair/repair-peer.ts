import type { PeerId } from '../link/link.ts'
import type { Digest } from './digest.ts'

/** What the repair layer remembers of a peer. */
export class RepairPeer {
  readonly id: PeerId
  alive = false
  /** It fell behind, or takes long to answer: others are better donors. */
  slow = false
  roundTripMs: number = Number.POSITIVE_INFINITY
  /** It said that it has not joined itself. */
  unready = false
  /** Messages of it were lost, or never came: its state has to be compared with ours. */
  lost = false
  /** Losses that were told so far: a comparison makes up for those that were told before it began. */
  losses = 0
  /** Its last digest, and our time of it. */
  digest: Digest | undefined
  digestAtMs: number = Number.NEGATIVE_INFINITY
  /** Both roots when they were found to differ, and since when they have differed in whatever way. */
  difference: { readonly theirs: string; readonly ours: string; readonly checkAtMs: number } | undefined
  differsSinceMs: number = Number.POSITIVE_INFINITY
  /** Not sooner than this is it compared with. */
  notBeforeMs = 0
  failures = 0
  /** The last comparison carried only recent changes, and left a difference: the next one carries all. */
  wantsAll = false
  /** A comparison with it is under way, which this side has opened, or the other. */
  opening = false
  accepting = false
  repliedMs: number = Number.NEGATIVE_INFINITY

  constructor(id: PeerId) {
    this.id = id
  }

  /** Told, or found out: messages of it are missing. */
  lose(): void {
    this.lost = true
    this.losses++
  }

  /** States were equal, or were made so, since `losses` were told. */
  settle(losses: number): void {
    if (this.losses === losses) this.lost = false
    this.difference = undefined
    this.differsSinceMs = Number.POSITIVE_INFINITY
    this.failures = 0
    this.wantsAll = false
  }
}
