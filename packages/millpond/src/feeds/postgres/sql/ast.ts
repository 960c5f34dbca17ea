/** What is read of the syntax tree of `libpg-query`: PostgreSQL's own parser, whose nodes are objects with one field. */

/** A node: `{ SelectStmt: {...} }`. */
export type Node = { readonly [kind: string]: unknown }

export interface SelectStmt {
  readonly targetList?: readonly Node[]
  readonly fromClause?: readonly Node[]
  readonly whereClause?: Node
  readonly withClause?: { readonly ctes?: readonly Node[]; readonly recursive?: boolean }
  readonly lockingClause?: readonly Node[]
  readonly intoClause?: object
  readonly op?: string
  readonly larg?: SelectStmt
  readonly rarg?: SelectStmt
  readonly [other: string]: unknown
}

export interface CommonTableExpr {
  readonly ctename: string
  readonly ctequery: Node
}

export interface RangeVar {
  readonly schemaname?: string
  readonly relname: string
  readonly alias?: { readonly aliasname: string; readonly colnames?: readonly Node[] }
}

export interface JoinExpr {
  readonly jointype: string
  readonly isNatural?: boolean
  readonly larg: Node
  readonly rarg: Node
  readonly quals?: Node
  readonly usingClause?: readonly Node[]
  /** Hides the names of the tables that are joined. */
  readonly alias?: object
}

export interface Subquery {
  readonly subquery: Node
  readonly alias?: { readonly aliasname: string; readonly colnames?: readonly Node[] }
}

export interface Expression {
  readonly kind: string
  readonly name: readonly Node[]
  readonly lexpr?: Node
  readonly rexpr?: Node
}

/** The content of a node of this kind, or undefined. */
export function nodeOf<T>(node: Node | undefined, kind: string): T | undefined {
  return node?.[kind] as T | undefined
}

/** The strings of a list of names: `['public', 'orders']`; undefined where one of them is `*`. */
export function namesOf(list: readonly Node[]): string[] | undefined {
  const names = list.map((node) => nodeOf<{ sval?: string }>(node, 'String')?.sval)
  return names.includes(undefined) ? undefined : (names as string[])
}

/** Calls `visit` with the kind and content of each node below `value`, outermost first. `false` leaves out what is inside. */
export function walk(value: unknown, visit: (kind: string, content: never) => unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit)
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [kind, content] of Object.entries(value)) {
    const isNode = kind.charCodeAt(0) < 91 && typeof content === 'object'
    if (!isNode || visit(kind, content as never) !== false) walk(content, visit)
  }
}
