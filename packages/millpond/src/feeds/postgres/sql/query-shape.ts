/**
 * A query as the database means it: its text analysed by PostgreSQL's own parser, its names looked up in the catalog, its
 * views taken apart. Worked out once a text; what follows from the parameters is worked out at each execution.
 */
import type { Queryable } from '../client.ts'
import { quoteTable, tableTag } from '../tags.ts'
import type { Node, SelectStmt } from './ast.ts'
import { askCatalog, type CatalogFacts, type FunctionFacts, type RelationFacts } from './catalog-facts.ts'
import { Dependency, type WatchingFeed } from './dependencies.ts'
import { type Occurrence, occurrencesOf } from './occurrences.ts'
import { askParameterTypes } from './parameter-types.ts'
import { describeStatements, type Statement } from './statement.ts'

/** What is known of a text. */
export interface QueryShape {
  readonly kind: Statement['kind']
  /** Why it is not cached, in words. None: it is. */
  readonly reasons: readonly string[]
  readonly dependencies: readonly Dependency[]
  /** Whether running it may change rows. */
  readonly mayWrite: boolean
  /** Whether running it may change what later statements of its connection mean. */
  readonly mayChangeSession: boolean
}

/** What the analysis of a text needs. */
export interface ShapeContext {
  /** The parser: `parseSync` of `libpg-query`. */
  readonly parse: (sql: string) => { readonly stmts?: readonly { readonly stmt: Node }[] }
  /** A connection with the `search_path` under which the query runs. */
  readonly client: Queryable
  readonly feed: WatchingFeed & { covers(tag: string): string | undefined }
  /** Whether entries of different roles are kept apart, so that row security does no harm. */
  readonly byRole: boolean
}

/** Views within views are taken apart to this depth. */
const VIEW_DEPTH_MAX = 16

export async function shapeOf(sql: string, context: ShapeContext): Promise<QueryShape> {
  const statement = describeText(sql, context)
  const { kind, reasons, mayWrite, mayChangeSession, functions } = statement
  if (kind !== 'read') return { kind, reasons, dependencies: [], mayWrite, mayChangeSession }
  if (reasons.length > 0) {
    const callsUnknown = functions.length > 0
    return {
      kind,
      reasons,
      dependencies: [],
      mayWrite: callsUnknown,
      mayChangeSession: mayChangeSession || callsUnknown,
    }
  }
  return await new ShapeBuilder(sql, context).build(statement)
}

/** What the text alone tells. */
export function describeText(sql: string, { parse }: Pick<ShapeContext, 'parse'>): Statement {
  try {
    return describeStatements((parse(sql).stmts ?? []).map(({ stmt }) => stmt))
  } catch (error) {
    const reason = `PostgreSQL's parser does not understand it: ${(error as Error).message}`
    return { ...describeStatements([]), reasons: [reason] }
  }
}

class ShapeBuilder {
  private readonly sql: string
  private readonly context: ShapeContext
  private readonly reasons = new Set<string>()
  private readonly tables: { relation: RelationFacts; occurrence: Occurrence }[] = []
  /** Names of the columns that the query and its views speak of; undefined when all count. */
  private used: Set<string> | undefined = new Set()
  private callsVolatile = false
  /** A volatile function that is not PostgreSQL's own may do anything. */
  private callsUnknown = false

  constructor(sql: string, context: ShapeContext) {
    this.sql = sql
    this.context = context
  }

  async build(statement: Statement): Promise<QueryShape> {
    await this.add(statement, statement.occurrences, 0)
    const { reasons, tables, context } = this
    const mayWrite = this.callsVolatile
    const mayChangeSession = statement.mayChangeSession || this.callsUnknown
    if (tables.length === 0 && reasons.size === 0) reasons.add('it reads no table')
    const types = reasons.size > 0 ? undefined : await askParameterTypes(this.sql, context.client)
    if (typeof types === 'string') reasons.add(types)
    if (reasons.size > 0 || !Array.isArray(types))
      return { kind: 'read', reasons: [...reasons], dependencies: [], mayWrite, mayChangeSession }
    const dependencies = tables.map(
      ({ relation, occurrence }) => new Dependency(relation, occurrence.conditions, this.used, context.feed, types),
    )
    return { kind: 'read', reasons: [], dependencies, mayWrite: false, mayChangeSession: false }
  }

  /** Adds what a statement, or the query of a view, reads. */
  private async add(statement: Statement, occurrences: readonly Occurrence[], depth: number): Promise<void> {
    for (const reason of statement.reasons) this.reasons.add(reason)
    if (!statement.columns) this.used = undefined
    for (const name of statement.columns ?? []) this.used?.add(name)
    const facts = await askCatalog(this.context.client, { ...statement, relations: occurrences })
    this.judgeFunctions(facts, statement)
    this.judgeRowFunctions(facts)
    for (const [at, occurrence] of occurrences.entries())
      await this.addOccurrence(occurrence, facts.relations[at], depth)
  }

  private async addOccurrence(
    occurrence: Occurrence,
    relation: RelationFacts | null | undefined,
    depth: number,
  ): Promise<void> {
    if (!relation) this.reasons.add(`there is no table ${occurrence.table}`)
    else if (relation.kind === 'v') await this.addView(relation, occurrence, depth + 1)
    else {
      const reason = this.reasonAgainst(relation)
      if (reason) this.reasons.add(reason)
      this.tables.push({ relation, occurrence })
      if (relation.security) for (const policy of relation.policies) await this.addPolicy(relation, policy, depth + 1)
    }
  }

  /** Conditions on a view's columns reach the tables under it where its query lets them through. */
  private async addView(view: RelationFacts, { conditions }: Occurrence, depth: number): Promise<void> {
    const [parsed] = this.context.parse(view.definition ?? '').stmts ?? []
    const select = parsed?.stmt.SelectStmt as SelectStmt | undefined
    if (!select || depth > VIEW_DEPTH_MAX) this.reasons.add(`the view ${view.table} cannot be taken apart`)
    else await this.add(describeStatements([parsed!.stmt]), occurrencesOf(select, conditions), depth)
  }

  /** What a policy lets a reader see may depend on other columns and on other tables; on the role as well, which is known. */
  private async addPolicy(relation: RelationFacts, policy: string, depth: number): Promise<void> {
    const { stmts = [] } = this.context.parse(`SELECT FROM ${quoteTable(relation)} WHERE ${policy}`)
    const statement = describeStatements(stmts.map(({ stmt }) => stmt))
    const reasons = statement.reasons.filter(
      (reason) => !/^(current_user|session_user|current_role|user) /.test(reason),
    )
    const own = statement.occurrences.findIndex(
      ({ schema, table }) => schema === relation.schema && table === relation.table,
    )
    const others = statement.occurrences.filter((_, at) => at !== own)
    if (depth > VIEW_DEPTH_MAX) this.reasons.add(`the policies of ${relation.table} cannot be taken apart`)
    else await this.add({ ...statement, reasons }, others, depth)
  }

  private reasonAgainst(relation: RelationFacts): string | undefined {
    const name = tableTag(relation)
    if (relation.schema === 'pg_catalog' || relation.schema === 'information_schema')
      return `${name} is a system catalog`
    const kind = KINDS[relation.kind]
    if (kind) return `${name} is ${kind}, whose changes are not told`
    if (relation.persistence === 't') return `${name} is a temporary table`
    if (relation.untold) return `${name} has partitions or children whose changes are not told`
    if (relation.security && !this.context.byRole) return `${name} has row security: what is seen depends on the role`
    return this.context.feed.covers(name) === undefined ? `the feed does not tell of changes of ${name}` : undefined
  }

  /** `orders.total` may be a function of the whole row. */
  private judgeRowFunctions({ rowFunctions, relations }: CatalogFacts): void {
    for (const { name, builtin } of rowFunctions) {
      if (relations.some((relation) => relation?.columns.some((column) => column.name === name))) continue
      if (builtin) this.used = undefined
      else this.reasons.add(`${name} may be a function of a row, written like a column`)
    }
  }

  private judgeFunctions({ functions }: CatalogFacts, { functions: called }: Statement): void {
    for (const facts of functions) {
      if (facts.volatility === 'v') this.callsVolatile = true
      if (facts.volatility === 'v' && !facts.builtin) this.callsUnknown = true
      const reason = functionReason(facts)
      if (reason) this.reasons.add(reason)
    }
    for (const name of called) {
      if (!functions.some((facts) => facts.name === name.at(-1)))
        this.reasons.add(`there is no function ${name.join('.')}`)
    }
  }
}

const KINDS: Readonly<Record<string, string>> = {
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
}

function functionReason({ name, builtin, volatility }: FunctionFacts): string | undefined {
  if (volatility === 'i') return undefined
  if (volatility === 'v') return `${name} is volatile: each call may give something else`
  if (!builtin) return `${name} is declared stable: it may read tables or settings`
  return BY_SETTINGS.test(name) ? undefined : `${name} depends on the moment, the session or the server`
}

/**
 * Built-in functions and operators that are stable only because their text depends on settings such as the time zone, under
 * which a pool's connections agree.
 */
const BY_SETTINGS =
  /^(concat|concat_ws|format|to_char|to_date|to_timestamp|to_number|date_trunc|date_part|date_add|date_subtract|extract|timezone|array_to_string|string_to_array|array_to_json|row_to_json|to_json|to_jsonb|json_agg|jsonb_agg|json_agg_strict|jsonb_agg_strict|json_build_object|json_build_array|jsonb_build_object|jsonb_build_array|json_object_agg|jsonb_object_agg|json_object|jsonb_object|json_populate_record|jsonb_populate_record|json_to_record|json_to_recordset|jsonb_to_record|jsonb_to_recordset|quote_literal|quote_nullable|to_tsvector|to_tsquery|plainto_tsquery|phraseto_tsquery|websearch_to_tsquery|ts_headline|generate_series|make_timestamptz|timestamptz|timestamp|date|time|timetz|interval|text|varchar|bpchar|money|xml|[^\w]+)$/
