/** What the doctor has found about a service: one thing each, in words, and what to do about it. */
import type { Verdict } from '../postgres/finding.ts'

export interface ServiceFinding {
  /** What it is about, as a short name that does not change: `reachable`, `memory`. */
  readonly about: string
  readonly verdict: Verdict
  readonly says: string
  /** What to do next. */
  readonly advice?: string
}

export function found(verdict: Verdict, about: string, says: string, advice?: string): ServiceFinding {
  return { about, verdict, says, ...(advice !== undefined && { advice }) }
}

/** Whether somebody should do something about it. */
export function isToBeChanged({ verdict }: ServiceFinding): boolean {
  return verdict === 'warning' || verdict === 'fault'
}
