/**
 * Where a query reads tables, and which of their rows can matter to it. Each time a table stands in a FROM is an
 * occurrence. A conjunct of the same query level that compares one of its columns with given values, and is false or
 * unknown for a row, keeps that row out of the level, whatever the rest of the query does: aggregates, ORDER BY and
 * LIMIT, windows, sub-selects of any kind and set operations see only rows that pass. So a changed row matters only
 * if it passes the conditions of some occurrence with its old or its new values (Blakeley, Coburn and Larson, 1989:
 * irrelevant updates).
 *
 * Not every ON filters: that of a LEFT JOIN keeps rows out of the right side only, that of a RIGHT JOIN out of the left,
 * that of a FULL JOIN out of neither. WHERE comes after all joins, and a comparison is never true of the NULLs that
 * an outer join fills in, so it filters every table. OR, NOT, IS NULL and comparisons of two columns are no conditions.
 */
import {
  type CommonTableExpr,
  type Expression,
  type JoinExpr,
  type Node,
  namesOf,
  nodeOf,
  type RangeVar,
  type SelectStmt,
  type Subquery,
  walk,
} from './ast.ts'
import { type Operand, operandOf, operandsOf } from './operands.ts'

/** A table in a FROM, with what its rows have to fulfil. The conditions are joined by AND. */
export interface Occurrence {
  readonly schema: string | undefined
  readonly table: string
  readonly conditions: readonly Condition[]
}

/** The column has one of the values; or lies between the bounds, where one of them may be missing. */
export type Condition =
  | { readonly column: string; readonly among: readonly Operand[] }
  | { readonly column: string; readonly low?: Bound; readonly high?: Bound }

export interface Bound {
  readonly operand: Operand
  readonly inclusive: boolean
}

/** Every occurrence in a SELECT, at all levels. `outer`: what the rows that it returns have to fulfil besides. */
export function occurrencesOf(select: SelectStmt, outer: readonly Condition[] = []): Occurrence[] {
  const found: Occurrence[] = []
  visitLevel(select, new Set(), found, outer)
  return found
}

/** A table or sub-select of a FROM while its level is read: conditions are added as they are met. */
interface Item {
  /** A sub-select, or else a table. */
  readonly select?: SelectStmt
  readonly schema?: string | undefined
  readonly table?: string
  readonly alias: string | undefined
  /** An alias renames the columns, or hides the table's name, so that no condition can be attributed. */
  renamed: boolean
  readonly conditions: Condition[]
}

/** What a level's FROM holds. */
interface From {
  readonly items: Item[]
  /** Everything that is neither table nor sub-select: functions, common table expressions. */
  others: number
  readonly filters: { readonly expression: Node; readonly of: readonly Item[] }[]
}

function visitLevel(
  select: SelectStmt,
  outerNames: ReadonlySet<string>,
  found: Occurrence[],
  outer: readonly Condition[] = [],
): void {
  const names = new Set(outerNames)
  visitCommonTables(select, names, found)
  if (select.larg && select.rarg) {
    visitLevel(select.larg, names, found)
    visitLevel(select.rarg, names, found)
    visitExpressions([select.sortClause, select.limitCount, select.limitOffset], names, found)
    return
  }
  const from: From = { items: [], others: 0, filters: [] }
  for (const item of select.fromClause ?? []) visitFrom(item, from, names, found)
  if (select.whereClause) from.filters.push({ expression: select.whereClause, of: from.items })
  const isAlone = from.items.length + from.others === 1
  for (const { expression, of } of from.filters) addConditions(expression, of, isAlone)
  if (passesConditions(select)) for (const condition of outer) addOuter(condition, select, from.items, isAlone)
  for (const item of from.items) {
    if (item.select) visitLevel(item.select, names, found, item.conditions)
    else found.push({ schema: item.schema, table: item.table!, conditions: item.conditions })
  }
  const { fromClause: _from, withClause: _with, ...expressions } = select
  visitExpressions(Object.values(expressions), names, found)
}

/**
 * Whether a condition on a column that a level returns as it is keeps the same rows out as one inside of it. Not where
 * other rows decide what is returned: by LIMIT, DISTINCT ON or a window. GROUP BY is no harm: a column that is returned
 * as it is has one value in each group.
 */
function passesConditions(select: SelectStmt): boolean {
  if (select.limitCount || select.limitOffset || select.valuesLists) return false
  const distinct = select.distinctClause as readonly object[] | undefined
  if (distinct?.some((node) => Object.keys(node).length > 0)) return false
  let hasWindow = false
  walk(select.targetList, (kind, content: { over?: object }) => {
    if (kind === 'FuncCall' && content.over) hasWindow = true
  })
  return !hasWindow
}

/** Adds a condition on a returned column to the item whose column it is. */
function addOuter(condition: Condition, select: SelectStmt, items: readonly Item[], isAlone: boolean): void {
  const returned = (select.targetList ?? []).flatMap((node) => {
    const target = nodeOf<{ name?: string; val: Node }>(node, 'ResTarget')
    const column = columnOf(target?.val)
    return column && (target?.name ?? column.column) === condition.column ? [column] : []
  })
  if (returned.length !== 1) return
  const item = itemNamed(returned[0]!.table, items, isAlone)
  if (item && !item.renamed) item.conditions.push({ ...condition, column: returned[0]!.column })
}

function visitCommonTables(select: SelectStmt, names: Set<string>, found: Occurrence[]): void {
  const { ctes = [], recursive = false } = select.withClause ?? {}
  const all = ctes.map((node) => nodeOf<CommonTableExpr>(node, 'CommonTableExpr')!)
  if (recursive) for (const { ctename } of all) names.add(ctename)
  for (const { ctename, ctequery } of all) {
    const inner = nodeOf<SelectStmt>(ctequery, 'SelectStmt')
    if (inner) visitLevel(inner, names, found)
    names.add(ctename)
  }
}

/** Adds what stands in FROM, and the ON conditions with the tables that they filter. */
function visitFrom(node: Node, from: From, names: ReadonlySet<string>, found: Occurrence[]): void {
  const table = nodeOf<RangeVar>(node, 'RangeVar')
  if (table && (table.schemaname !== undefined || !names.has(table.relname))) {
    from.items.push(itemOf(table))
    return
  }
  const join = nodeOf<JoinExpr>(node, 'JoinExpr')
  if (join) {
    visitJoin(join, from, names, found)
    return
  }
  const subquery = nodeOf<Subquery>(node, 'RangeSubselect')
  const inner = nodeOf<SelectStmt>(subquery?.subquery, 'SelectStmt')
  if (inner) {
    from.items.push({ select: inner, ...aliasOf(subquery!.alias), conditions: [] })
    return
  }
  from.others++
  visitExpressions([node], names, found)
}

function visitJoin(join: JoinExpr, from: From, names: ReadonlySet<string>, found: Occurrence[]): void {
  const start = from.items.length
  visitFrom(join.larg, from, names, found)
  const middle = from.items.length
  visitFrom(join.rarg, from, names, found)
  // `(a JOIN b ...) j` hides a and b: outside of it these names mean tables of an outer level, if any.
  if (join.alias) for (const item of from.items.slice(start)) item.renamed = true
  if (!join.quals) return
  visitExpressions([join.quals], names, found)
  const left = from.items.slice(start, middle)
  const right = from.items.slice(middle)
  if (join.jointype === 'JOIN_INNER') from.filters.push({ expression: join.quals, of: [...left, ...right] })
  else if (join.jointype === 'JOIN_LEFT') from.filters.push({ expression: join.quals, of: right })
  else if (join.jointype === 'JOIN_RIGHT') from.filters.push({ expression: join.quals, of: left })
}

function itemOf({ schemaname, relname, alias }: RangeVar): Item {
  return { schema: schemaname, table: relname, ...aliasOf(alias, relname), conditions: [] }
}

function aliasOf(alias: Subquery['alias'], otherwise?: string): Pick<Item, 'alias' | 'renamed'> {
  return { alias: alias?.aliasname ?? otherwise, renamed: alias?.colnames !== undefined }
}

/** Queries inside expressions are levels of their own. */
function visitExpressions(expressions: readonly unknown[], names: ReadonlySet<string>, found: Occurrence[]): void {
  for (const expression of expressions) {
    walk(expression, (kind, content: SelectStmt) => {
      if (kind !== 'SelectStmt') return true
      visitLevel(content, names, found)
      return false
    })
  }
}

/** Adds the conjuncts of an expression to the tables that they filter. */
function addConditions(expression: Node, items: readonly Item[], isAlone: boolean): void {
  const and = nodeOf<{ boolop: string; args: readonly Node[] }>(expression, 'BoolExpr')
  if (and?.boolop === 'AND_EXPR') {
    for (const part of and.args) addConditions(part, items, isAlone)
    return
  }
  const found = comparisonOf(expression)
  if (!found) return
  const item = itemNamed(found.table, items, isAlone)
  if (item && !item.renamed) item.conditions.push(found.condition)
}

/** Without a table's name the column is attributed only where one table stands alone. */
function itemNamed(name: string | undefined, items: readonly Item[], isAlone: boolean): Item | undefined {
  if (name === undefined) return isAlone ? items[0] : undefined
  const named = items.filter(({ alias }) => alias === name)
  return named.length === 1 ? named[0] : undefined
}

interface Comparison {
  readonly table: string | undefined
  readonly condition: Condition
}

/** A comparison of a column with given values, either way round. */
function comparisonOf(node: Node): Comparison | undefined {
  const bare = columnOf(node)
  if (bare) return { table: bare.table, condition: { column: bare.column, among: [{ text: 'true', cast: 'bool' }] } }
  const expression = nodeOf<Expression>(node, 'A_Expr')
  const operator = expression && namesOf(expression.name)?.join('.')
  if (!expression || !operator) return undefined
  const forward = compare(expression.kind, operator, expression.lexpr, expression.rexpr)
  if (forward || expression.kind !== 'AEXPR_OP') return forward
  return compare(expression.kind, MIRRORED[operator] ?? '', expression.rexpr, expression.lexpr)
}

function compare(kind: string, operator: string, left?: Node, right?: Node): Comparison | undefined {
  const column = columnOf(left)
  const condition = column && right && conditionOf(kind, operator, column.column, right)
  return condition && { table: column.table, condition }
}

function conditionOf(kind: string, operator: string, column: string, right: Node): Condition | undefined {
  if (kind === 'AEXPR_BETWEEN') {
    const [low, high] = operandsOf(right) ?? []
    return low && high && { column, low: { operand: low, inclusive: true }, high: { operand: high, inclusive: true } }
  }
  if ((kind === 'AEXPR_IN' || kind === 'AEXPR_OP_ANY') && operator === '=') {
    const among = operandsOf(right, kind === 'AEXPR_OP_ANY')
    return among && { column, among }
  }
  if (kind !== 'AEXPR_OP') return undefined
  const operand = operandOf(right)
  if (!operand) return undefined
  if (operator === '=') return { column, among: [operand] }
  const inclusive = operator.endsWith('=')
  if (operator === '>' || operator === '>=') return { column, low: { operand, inclusive } }
  if (operator === '<' || operator === '<=') return { column, high: { operand, inclusive } }
  return undefined
}

const MIRRORED: Readonly<Record<string, string>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

function columnOf(node: Node | undefined): { table: string | undefined; column: string } | undefined {
  const reference = nodeOf<{ fields: readonly Node[] }>(node, 'ColumnRef')
  const names = reference && namesOf(reference.fields)
  // With a schema's name before the table's, aliases do not count: such a reference is left alone.
  if (!names || names.length > 2) return undefined
  return { table: names.length === 2 ? names[0] : undefined, column: names.at(-1)! }
}
