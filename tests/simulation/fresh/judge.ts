/**
 * The judge of a history: which reads returned a version that the promise of their mode does not allow. Knows no cache and
 * no database, only times.
 */
import type { History, Mode } from './history.ts'
import { type Fault, RowHistory, type Violation } from './row-history.ts'

export interface Verdict {
  readonly violations: readonly Violation[]
  readonly reads: number
  readonly hits: Readonly<Record<Mode, number>>
  /** How long before the read the version of a hit was replaced, at most. */
  readonly oldestHitMs: number
}

export function judge(history: History): Verdict {
  const rows = rowsOf(history)
  const hits: Record<Mode, number> = { bounded: 0, atLeast: 0, strict: 0, rest: 0 }
  const violations: Violation[] = []
  let oldestHitMs = 0
  for (const read of history.reads) {
    const row = rows.get(read.key)
    if (row === undefined) throw new Error(`a read of row ${read.key}, of which the history knows nothing`)
    if (read.isHit) {
      hits[read.mode]++
      oldestHitMs = Math.max(oldestHitMs, read.beganMs - row.replacedBy(read).atMs)
    }
    violations.push(...row.faultsOf(read))
  }
  return { violations, reads: history.reads.length, hits, oldestHitMs }
}

/** How many violations of each kind. */
export function tally({ violations }: Pick<Verdict, 'violations'>): Record<Fault, number> {
  const counts = {
    'over the bound': 0,
    'own write missed': 0,
    'not strict': 0,
    'nobody wrote it': 0,
    'wrong at rest': 0,
  }
  for (const { fault } of violations) counts[fault]++
  return counts
}

/** One line for a person. */
export function describeViolation({ fault, read, why }: Violation): string {
  const { by, mode, via, key, version, isHit, beganMs } = read
  return `${fault}: ${by} read version ${version} of row ${key} (${mode}, ${via}, ${isHit ? 'hit' : 'no hit'}) at ${beganMs.toFixed(1)}: ${why}`
}

function rowsOf(history: History): Map<number, RowHistory> {
  const keys = new Set([...history.final, ...history.survivors, ...history.writes].map(({ key }) => key))
  const rows = new Map([...keys].map((key) => [key, new RowHistory(history.disasters)]))
  for (const { key, version } of history.survivors) rows.get(key)!.survivors.add(version)
  for (const disaster of history.disasters)
    for (const { key, version } of disaster.survivors) rows.get(key)?.keptBy(disaster).add(version)
  for (const { key, version } of history.final) rows.get(key)!.final = version
  for (const write of history.writes) rows.get(write.key)!.add(write)
  for (const row of rows.values()) row.prepare()
  return rows
}
