/** What an auditor has found so far. */

/** The share of sampled hits that were fresh, and how much it is worth. */
export interface AuditReport {
  /** Hits that were looked at again. */
  readonly sampled: number
  readonly fresh: number
  /** Hits that missed a change of which the feed had told nothing: each is a defect, of Millpond's or of the set-up. */
  readonly stale: number
  /** Hits of which nobody can say: something changed in between, or the server could have answered either way. */
  readonly inconclusive: number
  /** Hits that were drawn while too many others waited. */
  readonly skipped: number
  /** `fresh` over `fresh` and `stale`; 1 before the first. */
  readonly share: number
  /**
   * The share as nines: 3 means 99.9 %. With nothing stale as many as the number of looks can show: 1,000 looks show 3. One
   * decimal, rounded down.
   */
  readonly nines: number
}

export class AuditCounts {
  sampled = 0
  fresh = 0
  stale = 0
  inconclusive = 0
  skipped = 0

  report(): AuditReport {
    const looked = this.fresh + this.stale
    const share = looked === 0 ? 1 : this.fresh / looked
    return { ...this, share, nines: ninesOf(looked, this.stale) }
  }
}

function ninesOf(looked: number, stale: number): number {
  if (looked === 0) return 0
  return Math.floor(10 * Math.log10(looked / Math.max(1, stale))) / 10
}
