/**
 * What a query depends on, worked out once a shape: for each time that it reads a table the rows that can matter to it.
 * With the parameters of one execution this gives the tags of its entry.
 */
import type { PostgresFeed } from '../feed.ts'
import { beyond, isOrdered, ordinalOf } from '../ordinals.ts'
import { type TableName, tableTag } from '../tags.ts'
import type { Range, Watch } from '../watched-rows.ts'
import type { ColumnFacts, IdentityFacts, RelationFacts } from './catalog-facts.ts'
import { changesOf } from './changes.ts'
import type { Bound, Condition } from './occurrences.ts'
import type { Operand } from './operands.ts'
import { exactTexts, isExact, keepsValue, textsOf } from './values.ts'

/** The slice of a feed that is needed here. */
export type WatchingFeed = Pick<PostgresFeed, 'watch'>

/** Lists of values that multiply to more combinations than this are not told apart. */
const COMBINATIONS_MAX = 100

interface Among {
  readonly column: ColumnFacts
  readonly operands: readonly Operand[]
}

interface Between {
  readonly column: ColumnFacts
  readonly low: Bound | undefined
  readonly high: Bound | undefined
}

/** One occurrence of a table, under a watch. */
export class Dependency {
  readonly table: TableName
  /** The tag of the table as a whole: what is used where the conditions of an execution say nothing. */
  readonly tableTag: string
  private readonly among: readonly Among[]
  private readonly between: Between | undefined
  private readonly watch: Watch
  private readonly identities: readonly IdentityFacts[]

  constructor(
    relation: RelationFacts,
    conditions: readonly Condition[],
    used: ReadonlySet<string> | undefined,
    feed: WatchingFeed,
    parameterTypes: readonly string[],
  ) {
    const known = conditions.filter((condition) => comparesItsType(relation, condition, parameterTypes))
    this.table = { schema: relation.schema, table: relation.table }
    this.tableTag = tableTag(this.table)
    this.identities = relation.identities
    this.among = amongOf(relation, known)
    this.between = betweenOf(relation, known)
    const columns = this.among.map(({ column }) => column.name)
    const range = this.between?.column.name
    this.watch = feed.watch({
      table: this.table,
      columns,
      ...(range !== undefined && { range }),
      used: used && usedOf(relation, used),
    })
  }

  /** In words: which rows of the table can matter. */
  get precision(): string {
    const parts = this.among.map(({ column }) => `${column.name} = ...`)
    if (this.between) parts.push(`${this.between.column.name} in a range`)
    return parts.length === 0 ? 'any row' : `rows with ${parts.join(' and ')}`
  }

  /** In words: which changes of such rows void an answer. */
  get changes(): string {
    const columns = this.among.map(({ column }) => column.name)
    if (this.between) columns.push(this.between.column.name)
    return changesOf(columns, this.identities)
  }

  /** The tags of an entry that was made with these parameters. */
  tags(parameters: readonly unknown[]): string[] {
    const values = this.among.map(({ column, operands }) =>
      union(operands.map((one) => exactTexts(column.type, one, parameters))),
    )
    const between = this.between && rangeOf(this.between, parameters)
    if (values.includes(undefined) || between === 'unknown') return [this.tableTag]
    const combinations = combine(values as string[][])
    if (combinations.length > COMBINATIONS_MAX) return [this.tableTag]
    // No row can be equal to NULL: then only what concerns the whole watch concerns the entry.
    return this.watch.tags(combinations, between)
  }
}

/**
 * Whether each parameter of a condition is sent as its column's type. PostgreSQL decides the type where a parameter is used first:
 * the same text may be a date there and a text here.
 */
function comparesItsType(relation: RelationFacts, condition: Condition, parameterTypes: readonly string[]): boolean {
  const type = relation.columns.find(({ name }) => name === condition.column)?.type
  const bounds = 'among' in condition ? [] : [condition.low, condition.high]
  const operands = 'among' in condition ? condition.among : bounds.flatMap((bound) => bound?.operand ?? [])
  return operands.every((operand) => {
    if (type === undefined || !('parameter' in operand)) return true
    const sent = parameterTypes[operand.parameter - 1] ?? ''
    return operand.isArray ? sent.startsWith('_') && keepsValue(sent.slice(1), type) : keepsValue(sent, type)
  })
}

/** The columns of this table that the query speaks of; undefined where one is worked out from others. */
function usedOf({ columns }: RelationFacts, names: ReadonlySet<string>): string[] | undefined {
  const used = columns.filter(({ name }) => names.has(name))
  return used.some(({ generated }) => generated) ? undefined : used.map(({ name }) => name)
}

/** Conditions of equality on columns for which equal values have equal text; one a column, in the order of their names. */
function amongOf(relation: RelationFacts, conditions: readonly Condition[]): Among[] {
  const found = new Map<string, Among>()
  for (const condition of conditions) {
    const column = relation.columns.find(({ name }) => name === condition.column)
    if (!column || !('among' in condition) || !isExact(column.type) || !column.deterministic) continue
    if (!found.has(column.name)) found.set(column.name, { column, operands: condition.among })
  }
  return [...found.values()].toSorted((one, other) => (one.column.name < other.column.name ? -1 : 1))
}

/** The first column that has bounds; several conditions on it are one range. */
function betweenOf(relation: RelationFacts, conditions: readonly Condition[]): Between | undefined {
  const bounds = conditions.flatMap((condition) => ('among' in condition ? [] : [condition]))
  for (const { column: name } of bounds) {
    const column = relation.columns.find((one) => one.name === name)
    if (!column || !isOrdered(column.type)) continue
    const own = bounds.filter((bound) => bound.column === name)
    return { column, low: own.find(({ low }) => low)?.low, high: own.find(({ high }) => high)?.high }
  }
  return undefined
}

function rangeOf({ column, low, high }: Between, parameters: readonly unknown[]): Range | 'unknown' {
  const place = (bound: Bound | undefined, direction: 1n | -1n): bigint | 'unknown' | undefined => {
    if (!bound) return undefined
    const [text] = textsOf(column.type, bound.operand, parameters) ?? []
    const ordinal = text === undefined ? undefined : ordinalOf(column.type, text)
    if (ordinal === undefined) return 'unknown'
    return bound.inclusive ? ordinal : beyond(column.type, ordinal, direction)
  }
  const range = { low: place(low, 1n), high: place(high, -1n) }
  return range.low === 'unknown' || range.high === 'unknown' ? 'unknown' : (range as Range)
}

function union(lists: readonly (string[] | undefined)[]): string[] | undefined {
  return lists.includes(undefined) ? undefined : [...new Set(lists.flat() as string[])]
}

/** Every way to take one value of each list. */
function combine(lists: readonly (readonly string[])[]): string[][] {
  let all: string[][] = [[]]
  for (const list of lists) {
    if (all.length * list.length > COMBINATIONS_MAX) return Array.from({ length: COMBINATIONS_MAX + 1 }, () => [])
    all = all.flatMap((before) => list.map((value) => [...before, value]))
  }
  return all
}
