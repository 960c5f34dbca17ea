/** What the doctor has found: one thing each, in words, with the SQL that changes it. */

/**
 * `good`: as it should be. `note`: works, and worth knowing; its SQL is a choice. `warning`: works today. `fault`: the
 * feed does not start, misses something, or does harm. Warnings and faults are to be changed.
 */
export type Verdict = 'good' | 'note' | 'warning' | 'fault'

export interface Fix {
  /** Statements, to be run in this order; identifiers are quoted. */
  readonly sql: readonly string[]
  /** Who may run them. */
  readonly as: string
  /** What has to be done after them, or instead, where SQL is not enough. */
  readonly also?: string
}

export interface Finding {
  /** What it is about, as a short name that does not change: `wal-level`, `publication`. */
  readonly about: string
  readonly verdict: Verdict
  readonly says: string
  readonly fix?: Fix
}

export function good(about: string, says: string): Finding {
  return { about, verdict: 'good', says }
}

export function note(about: string, says: string, fix?: Fix): Finding {
  return { about, verdict: 'note', says, ...(fix && { fix }) }
}

export function warning(about: string, says: string, fix?: Fix): Finding {
  return { about, verdict: 'warning', says, ...(fix && { fix }) }
}

export function fault(about: string, says: string, fix?: Fix): Finding {
  return { about, verdict: 'fault', says, ...(fix && { fix }) }
}

/** Whether somebody should do something about it. */
export function isToBeChanged({ verdict }: Finding): boolean {
  return verdict === 'warning' || verdict === 'fault'
}
