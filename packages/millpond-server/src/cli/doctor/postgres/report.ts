/** The diagnosis as a person reads it; the SQL stands in lines of its own, ready to be copied. */
import type { Diagnosis } from './doctor.ts'
import { type Finding, isToBeChanged, type Verdict } from './finding.ts'

/** What stands before a finding. */
export const MARKS: Readonly<Record<Verdict, string>> = { good: 'ok', note: 'note', warning: 'WARN', fault: 'FIX' }

/** Lines of text. */
export function report({ where, role, server, mode, findings }: Diagnosis): string[] {
  const lines = ['', ...findings.flatMap(linesOf), '', closing(findings)]
  // One empty line at a time.
  const spaced = lines.filter((line, at) => line !== '' || lines[at - 1] !== '')
  return [`PostgreSQL ${server} at ${where}, as ${role}, for mode '${mode}'`, ...spaced]
}

function linesOf({ verdict, says, fix }: Finding): string[] {
  const lines = [`  ${MARKS[verdict].padEnd(4)}  ${says}`]
  if (!fix) return lines
  const optional = verdict === 'note' ? 'if you want, ' : ''
  const heading = `-- ${optional}as ${fix.as}${fix.also ? `; ${fix.also}` : ''}`
  const statements = fix.sql.flatMap((statement) => statement.trimEnd().split('\n'))
  return ['', ...lines, heading, ...statements, '']
}

function closing(findings: readonly Finding[]): string {
  const count = findings.filter(isToBeChanged).length
  if (count === 0) return 'All is well: a feed can start here.'
  return `${count} ${count === 1 ? 'thing has' : 'things have'} to be changed. Do what is said above, and ask again.`
}
