/**
 * Whether two answers to one query are the same. Rows are a multiset: PostgreSQL gives them in whatever order it finds them, unless
 * the query orders them, and rows that are equal in that order may change places too. So a difference counts only where no
 * choice of the server's explains it; where one may, nobody can say.
 */
import { type Node, namesOf, nodeOf, type SelectStmt, walk } from '../sql/ast.ts'
import type { KeptAnswer } from './answer.ts'

/** `unsure`: they differ, and both may be right. */
export type Likeness = 'same' | 'other' | 'unsure'

/** What a query leaves to the server. */
export interface Freedom {
  /** Columns of the answer that it is ordered by; `undefined`: by something that is not in the answer. None: in any order. */
  readonly orderedBy: readonly string[] | undefined
  /** Only some rows are asked for: among equals, any. */
  readonly isLimited: boolean
  /** What the rows are made of depends on an order inside: `array_agg`, window functions, a LIMIT in a sub-select. */
  readonly isLoose: boolean
}

/** Aggregates whose value depends on the order of their rows. */
const BY_ORDER = /^(array_agg|string_agg|xmlagg|jsonb?_(object_)?agg(_\w+)?|jsonb?_arrayagg|jsonb?_objectagg)$/

/** What the query of this syntax tree leaves open. */
export function freedomOf({ stmts = [] }: { readonly stmts?: readonly { readonly stmt: Node }[] }): Freedom {
  const select = nodeOf<SelectStmt>(stmts[0]?.stmt, 'SelectStmt')
  const sorts = (select?.sortClause ?? []) as readonly Node[]
  const keys = sorts.map(outputColumn)
  return {
    orderedBy: keys.includes(undefined) ? undefined : (keys as string[]),
    isLimited: isLimited(select),
    isLoose: isLoose(select),
  }
}

/** A name alone is that of a column of the answer, before it is one of a table. */
function outputColumn(sort: Node): string | undefined {
  const { node } = sort.SortBy as { node: Node }
  const fields = nodeOf<{ fields: readonly Node[] }>(node, 'ColumnRef')?.fields
  const names = fields && namesOf(fields)
  return names?.length === 1 ? names[0] : undefined
}

function isLimited(select: SelectStmt | undefined): boolean {
  return select?.limitCount !== undefined || select?.limitOffset !== undefined
}

function isLoose(select: SelectStmt | undefined): boolean {
  let found = isDistinctOn(select) || armsOf(select).some(choosesRows)
  walk({ ...select }, (kind, content) => {
    if (kind === 'SelectStmt' && [content, ...armsOf(content)].some(choosesRows)) found = true
    const { funcname = [], over } = (kind === 'FuncCall' ? content : {}) as {
      funcname?: readonly Node[]
      over?: object
    }
    if (over || BY_ORDER.test(namesOf(funcname)?.at(-1) ?? '')) found = true
    if (/^Json.*(Agg|Constructor)/.test(kind)) found = true
  })
  return found
}

/** The queries that a UNION and the like is made of. */
function armsOf(select: SelectStmt | undefined): SelectStmt[] {
  return [select?.larg, select?.rarg].flatMap((arm) => (arm ? [arm, ...armsOf(arm)] : []))
}

function choosesRows(select: SelectStmt): boolean {
  return isLimited(select) || isDistinctOn(select)
}

function isDistinctOn(select: SelectStmt | undefined): boolean {
  const distinct = (select?.distinctClause ?? []) as readonly object[]
  return distinct.some((one) => Object.keys(one).length > 0)
}

/** @param other what the database says now, kept in the same form as `one` */
export function compareAnswers(one: KeptAnswer, other: KeptAnswer, freedom: Freedom): Likeness {
  const [rows, others] = [rowTexts(one), rowTexts(other)]
  if (sameList(rows, others)) return 'same'
  if (freedom.isLoose) return 'unsure'
  const { orderedBy, isLimited: limited } = freedom
  if (rows.length !== others.length) return 'other'
  const sameRows = sameList(rows.toSorted(), others.toSorted())
  if (!sameRows && !limited) return 'other'
  if (orderedBy?.length === 0) return sameRows ? 'same' : 'unsure'
  const places = orderedBy?.map((name) => one.fields.findIndex((field) => field.name === name))
  if (!places || places.includes(-1)) return 'unsure'
  if (!sameList(rowTexts(one, places), rowTexts(other, places))) return 'other'
  return sameRows ? 'same' : 'unsure'
}

/** Each row as a text; of some columns only, where `places` are given. */
function rowTexts({ rows, fields }: KeptAnswer, places: readonly number[] = fields.map((_, at) => at)): string[] {
  return rows.map((row) => {
    const cell = (at: number): unknown =>
      Array.isArray(row) ? row[at] : (row as Record<string, unknown>)[fields[at]!.name]
    return JSON.stringify(
      places.map((at) => plain(cell(at), fields[at]!.dataTypeID)),
      asText,
    )
  })
}

const FLOATS = [700, 701]

/** The last digits of a sum of floats depend on the order of adding. */
function plain(value: unknown, type: number): unknown {
  if (!FLOATS.includes(type) || value === null) return value
  return Number(value).toPrecision(9)
}

/** What JSON has no form for. */
function asText(_: string, value: unknown): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)))
    return `${typeof value} ${value}`
  return value
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, at) => text === other[at])
}
