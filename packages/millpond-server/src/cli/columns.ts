/** Text in columns, for a terminal: numbers to the right, everything else to the left. */

export type Cell = string | number | undefined

/** Lines of a table, indented by two. What is not known is `-`. */
export function columns(head: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const texts = rows.map((row) => row.map(textOf))
  const widths = head.map((title, at) => Math.max(title.length, ...texts.map((row) => row[at]!.length)))
  const isNumber = head.map((_, at) => rows.some((row) => typeof row[at] === 'number'))
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, at) => (isNumber[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!))).join('  ')}`.trimEnd()
  return [head, ...texts].map(line)
}

/** Milliseconds as a person reads them. */
export function milliseconds(ms: number | undefined): string | undefined {
  return ms === undefined || Number.isNaN(ms) ? undefined : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`
}

function textOf(cell: Cell): string {
  return typeof cell === 'number' ? cell.toLocaleString('en') : (cell ?? '-')
}
