/** The file of `--json`: what was measured, on what, for programs to read. */

import type { Machine } from './machine.ts'
import type { Row } from './suite.ts'

/** `{ suite, machine, rows }`. Rows are without their spread, which is for the eyes only. */
export function reportJson(suite: string, machine: Machine, rows: readonly Row[]): string {
  const plain = rows.map(({ name, value, unit, target, pass }) => ({ name, value, unit, target, pass }))
  return `${JSON.stringify({ suite, machine, rows: plain }, null, 2)}\n`
}
