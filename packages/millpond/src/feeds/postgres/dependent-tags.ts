/** The tags of what a loader says that it reads, where nobody can see it: whole tables, or rows with given values. */
import { OptionError } from '../../core/errors.ts'
import type { Dependencies, DependentRows } from '../../core/feed.ts'
import type { Coverage } from './coverage.ts'
import { parseTable, type TableName, tableTag } from './tags.ts'
import { kindOf, type ValueKind } from './value-kinds.ts'
import { ANY, type Watches } from './watches.ts'

/** Lists of values that multiply to more combinations than this are not told apart. */
const COMBINATIONS_MAX = 100

/** @throws OptionError (`ERR_OPTION`) for a table that the feed does not tell of, or a value that cannot be compared */
export function dependentTags(
  { tables = [], rows = [] }: Dependencies,
  watches: Watches,
  coverage: Coverage,
): string[] {
  const ofTables = tables.map((name) => (name === ANY ? watches.watchAny() : tableTag(told(name, 'tables', coverage))))
  const ofRows = rows.flatMap((one) => rowsTags(one, told(one.table, 'rows', coverage), watches))
  return [...new Set([...ofTables, ...ofRows])]
}

function told(name: string, option: string, coverage: Coverage): TableName {
  const table = parseTable(name, option)
  if (coverage.covers(tableTag(table)) !== undefined) return table
  throw new OptionError(option, name, 'give tables that the feed tells of (its option `tables`, or its publication)')
}

function rowsTags({ where }: DependentRows, table: TableName, watches: Watches): string[] {
  const columns = Object.keys(where).toSorted()
  const lists = columns.map((column) => valuesOf(column, where[column]))
  const count = lists.reduce((product, { texts }) => product * texts.length, 1)
  if (count > COMBINATIONS_MAX) return [tableTag(table)]
  const combinations = lists.reduce<string[][]>(
    (all, { texts }) => all.flatMap((before) => texts.map((text) => [...before, text])),
    [[]],
  )
  return watches.watch({ table, columns, kinds: lists.map(({ kind }) => kind), used: undefined }).tags(combinations)
}

function valuesOf(column: string, given: unknown): { kind: ValueKind; texts: string[] } {
  const values = Array.isArray(given) ? (given as unknown[]) : [given]
  const found = values.map((value) => kindOf(value))
  const kinds = new Set(found.map((one) => one?.kind))
  const [kind] = kinds
  if (kind !== undefined && kinds.size === 1) return { kind, texts: found.map((one) => one!.text) }
  // Texts of several kinds are just texts; whatever they stand for, the stream knows the type of the column.
  if (values.every((value, at) => typeof value === 'string' && found[at] !== undefined))
    return { kind: 'text', texts: values as string[] }
  throw new OptionError(
    `rows.where.${column}`,
    given,
    'give a text, a whole number or a boolean, or a list of one of these; for other values name the table in `tables`',
  )
}
