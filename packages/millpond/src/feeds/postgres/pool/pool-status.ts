/** How a cached pool is doing, for people. */
import type { PostgresFeedStatus } from '../status.ts'
import type { AuditReport } from './audit-report.ts'

/** How a cached pool does. */
export interface PoolStatus {
  /** Reads that were answered from the cache, or by a load that was under way. */
  readonly hits: number
  /** Reads that were loaded. */
  readonly loads: number
  /** Of these, the ones whose connection was proven to lead to the right server, with the usual settings. */
  readonly kept: number
  /** What went to the database as it was: how often, by reason. */
  readonly passed: Readonly<Record<string, number>>
  /** Texts that are known. */
  readonly texts: number
  /** What the auditor has found; undefined without one. */
  readonly audit: AuditReport | undefined
  /** `lagMs`, `position`, `unsettled` and `bypassReason` among others. */
  readonly feed: PostgresFeedStatus
}
