/**
 * What a statement is, as far as its text tells: whether it may be answered from a cache, why not, and which tables,
 * functions, operators and types the catalog has to be asked about.
 */
import { type JoinExpr, type Node, namesOf, nodeOf, type RangeVar, type SelectStmt, walk } from './ast.ts'
import { type Occurrence, occurrencesOf } from './occurrences.ts'

export interface Statement {
  /**
   * `read`: a SELECT. `write`: may change rows. `transaction`: BEGIN, COMMIT and the like. `session`: changes what later
   * statements of the connection mean. `other`: everything else.
   */
  readonly kind: 'read' | 'write' | 'transaction' | 'session' | 'other'
  /** Why it must not be cached, in words; none for a SELECT that the text alone does not rule out. */
  readonly reasons: readonly string[]
  readonly occurrences: readonly Occurrence[]
  /** Names as written: `['pg_catalog', 'lower']`. */
  readonly functions: readonly (readonly string[])[]
  readonly operators: readonly (readonly string[])[]
  readonly types: readonly (readonly string[])[]
  /** Every column name that occurs; undefined where whole rows are read (`*`). */
  readonly columns: ReadonlySet<string> | undefined
  /** Columns that are written with a qualifier, which may be functions of a row instead. */
  readonly qualified: readonly string[]
  readonly mayWrite: boolean
  /** Whether it may change what later statements of its connection mean: settings, temporary tables. */
  readonly mayChangeSession: boolean
}

/** Describes the statements of a text, as parsed. */
export function describeStatements(statements: readonly Node[]): Statement {
  if (statements.length !== 1)
    return {
      ...NOTHING,
      kind: 'other',
      reasons: ['it is several statements, or none'],
      mayWrite: true,
      mayChangeSession: true,
    }
  const [name] = Object.keys(statements[0]!)
  const select = nodeOf<SelectStmt>(statements[0], 'SelectStmt')
  return select ? describeSelect(select) : describeOther(name!, statements[0]!)
}

const NOTHING = {
  occurrences: [],
  functions: [],
  operators: [],
  types: [],
  columns: undefined,
  qualified: [],
  mayWrite: false,
  mayChangeSession: false,
} as const

const WRITES = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'TruncateStmt', 'CopyStmt', 'CallStmt', 'DoStmt']
const SESSION = ['VariableSetStmt', 'DiscardStmt', 'ListenStmt', 'UnlistenStmt', 'PrepareStmt', 'DeallocateStmt']
/** These run code of which nothing is known here. */
const CODE = ['DoStmt', 'CallStmt', 'ExecuteStmt']
const HARMLESS = ['ExplainStmt', 'VariableShowStmt', 'NotifyStmt', 'CheckPointStmt', 'VacuumStmt']

function describeOther(name: string, node: Node): Statement {
  const word = name.replace(/Stmt$/, '')
  const reasons = [`it is no SELECT (${word})`]
  if (name === 'TransactionStmt') {
    const { kind } = node[name] as { kind: string }
    return {
      ...NOTHING,
      kind: 'transaction',
      reasons: ['it controls a transaction'],
      mayWrite: kind.endsWith('COMMIT_PREPARED'),
    }
  }
  const local = nodeOf<{ is_local?: boolean }>(node, 'VariableSetStmt')?.is_local
  const kind = WRITES.includes(name) ? 'write' : SESSION.includes(name) && !local ? 'session' : 'other'
  // DDL changes what the catalog says, and so counts as a write.
  const isWrite = kind === 'other' && !HARMLESS.includes(name) && !local
  const mayChangeSession = kind === 'session' || CODE.includes(name) || touchesSession(node)
  return {
    ...NOTHING,
    kind: isWrite ? 'write' : kind,
    reasons,
    mayWrite: isWrite || kind === 'write',
    mayChangeSession,
  }
}

/** Whether it makes something temporary, or sets a setting by a function. */
function touchesSession(node: Node): boolean {
  return /"relpersistence":"t"|"sval":"set_config"/.test(JSON.stringify(node))
}

function describeSelect(select: SelectStmt): Statement {
  const reasons = new Set<string>()
  const names = { functions: new Names(), operators: new Names(), types: new Names() }
  const qualified = new Set<string>()
  let writes = false
  walk({ SelectStmt: select }, (kind, content) => {
    const reason = REASONS[kind]?.(content)
    if (reason) reasons.add(reason)
    if (WRITES.includes(kind) || kind === 'IntoClause') writes = true
    collect(kind, content, names)
    const fields = kind === 'ColumnRef' ? namesOf((content as { fields: readonly Node[] }).fields) : undefined
    if (fields && fields.length > 1) qualified.add(fields.at(-1)!)
  })
  if (select.intoClause) {
    reasons.add('it creates a table (INTO)')
    writes = true
  }
  return {
    kind: writes ? 'write' : 'read',
    reasons: [...reasons],
    occurrences: occurrencesOf(select),
    functions: names.functions.list,
    operators: names.operators.list,
    types: names.types.list,
    columns: columnsOf(select),
    qualified: [...qualified],
    mayWrite: writes,
    mayChangeSession: touchesSession({ SelectStmt: select }),
  }
}

/** Kinds of nodes that rule out caching. */
const REASONS: Readonly<Record<string, (content: never) => string | undefined>> = {
  SelectStmt: ({ lockingClause }: SelectStmt) => lockingClause && 'it locks rows (FOR UPDATE, FOR SHARE)',
  InsertStmt: () => 'it changes rows (WITH ... INSERT)',
  UpdateStmt: () => 'it changes rows (WITH ... UPDATE)',
  DeleteStmt: () => 'it changes rows (WITH ... DELETE)',
  MergeStmt: () => 'it changes rows (WITH ... MERGE)',
  RangeTableSample: () => 'its rows are drawn at random (TABLESAMPLE)',
  SQLValueFunction: ({ op }: { op: string }) =>
    `${op.replace(/^SVFOP_|_N$/g, '').toLowerCase()} depends on the moment or on who asks`,
  CurrentOfExpr: () => 'it reads a cursor',
  ColumnRef: ({ fields }: { fields: readonly Node[] }) => {
    const name = namesOf(fields)?.at(-1)
    return name !== undefined && SYSTEM_COLUMNS.includes(name)
      ? `${name} changes without a change of the row that is told`
      : undefined
  },
  TypeCast: ({ typeName }: { typeName: { names?: readonly Node[] } }) => {
    const name = namesOf(typeName.names ?? [])?.at(-1)
    return name?.startsWith('reg') ? `a cast to ${name} looks into the catalog` : undefined
  },
  A_Const: (content: { sval?: { sval?: string } }) => momentOf(content.sval?.sval),
}

const SYSTEM_COLUMNS: readonly string[] = ['ctid', 'xmin', 'xmax', 'cmin', 'cmax']

/** `'now'::timestamp` and its like mean the moment, and a bare `'now'` may be read so too. */
function momentOf(text: string | undefined): string | undefined {
  return text !== undefined && MOMENT.test(text) ? `'${text.trim()}' may mean the moment` : undefined
}

/** Texts that PostgreSQL may read as a moment that moves: `10:00 today`, `{now}`, `[today,tomorrow)`. */
export const MOMENT: RegExp = /(?<![a-z])(now|today|tomorrow|yesterday)(?![a-z])/i

interface Collected {
  readonly functions: Names
  readonly operators: Names
  readonly types: Names
}

function collect(kind: string, content: never, { functions, operators, types }: Collected): void {
  if (kind === 'FuncCall') functions.add((content as { funcname: readonly Node[] }).funcname)
  if (kind === 'A_Expr') operators.add((content as { name: readonly Node[] }).name)
  if (kind === 'TypeCast') types.add((content as { typeName: { names: readonly Node[] } }).typeName.names)
  if (kind === 'SubLink') operators.add((content as { operName?: readonly Node[] }).operName ?? [])
}

/** Distinct qualified names. */
class Names {
  readonly #byText = new Map<string, readonly string[]>()

  add(nodes: readonly Node[]): void {
    const names = namesOf(nodes)
    if (names && names.length > 0) this.#byText.set(JSON.stringify(names), names)
  }

  get list(): (readonly string[])[] {
    return [...this.#byText.values()]
  }
}

/** The names of all columns that are spoken of; undefined where `*`, a row as a whole or a natural join reads others too. */
function columnsOf(select: SelectStmt): ReadonlySet<string> | undefined {
  const columns = new Set<string>()
  const tables = new Set<string>()
  let all = false
  walk({ SelectStmt: select }, (kind, content) => {
    if (kind === 'ColumnRef') {
      const names = namesOf((content as { fields: readonly Node[] }).fields)
      if (names) for (const name of names) columns.add(name)
      else all = true
    } else if (kind === 'RangeVar') {
      const { relname, alias } = content as RangeVar
      tables.add(alias?.aliasname ?? relname)
      if (alias?.colnames) all = true
    } else if (kind === 'JoinExpr') {
      const { isNatural, usingClause = [], alias } = content as JoinExpr
      if (isNatural || alias) all = true
      for (const name of namesOf(usingClause) ?? []) columns.add(name)
    }
  })
  // `count(orders)` reads the whole row, and looks like a column; so does the qualifier of `orders.id`.
  const whole = wholeRows(select, tables)
  return all || whole ? undefined : columns
}

/** Whether a table's name stands where a column would. */
function wholeRows(select: SelectStmt, tables: ReadonlySet<string>): boolean {
  let found = false
  walk({ SelectStmt: select }, (kind, content) => {
    if (kind !== 'ColumnRef') return
    const names = namesOf((content as { fields: readonly Node[] }).fields)
    if (names && tables.has(names.at(-1)!)) found = true
  })
  return found
}
