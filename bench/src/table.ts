/** Prints rows as an aligned table: the median, the middle half of the rounds, the bound and whether it holds. */

import type { Row } from './suite.ts'

const HEAD = ['', 'median', 'middle half', 'unit', 'target', ''] as const
/** Columns of numbers stand to the right. */
const RIGHT = new Set([1, 2, 4])

export function table(rows: readonly Row[]): string {
  const cells = [HEAD, ...rows.map(rowCells)]
  const widths = HEAD.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)))
  const lines = cells.map((line) =>
    line.map((cell, column) => pad(cell, widths[column]!, RIGHT.has(column))).join('  '),
  )
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  return lines.map((line) => line.trimEnd()).join('\n')
}

/** A number as a person reads it: three significant digits, whole from 100 on. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}

function rowCells(row: Row): string[] {
  const middle = row.low === undefined || row.high === undefined ? '' : `${readable(row.low)} - ${readable(row.high)}`
  const verdict = row.pass === undefined ? '' : row.pass ? 'pass' : 'MISSED'
  return [row.name, readable(row.value), middle, row.unit, row.target ?? '', verdict]
}

function pad(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width)
}
