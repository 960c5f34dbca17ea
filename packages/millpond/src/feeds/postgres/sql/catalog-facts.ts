/** What the catalog knows of the names in a statement: one query for all of them. */
import { literal } from '../catalog.ts'
import type { Queryable } from '../client.ts'
import { quoteName } from '../tags.ts'

/** A relation as the names of a statement mean it, under the connection's `search_path`. */
export interface RelationFacts {
  readonly oid: number
  readonly schema: string
  readonly table: string
  /** 'r' table, 'p' partitioned table, 'v' view, 'm' materialized view, 'f' foreign table, 'S' sequence. */
  readonly kind: string
  /** 'p' permanent, 'u' unlogged, 't' temporary. */
  readonly persistence: string
  /** Row security is on: what is seen depends on the role. */
  readonly security: boolean
  /** What row security lets a reader see: conditions, as SQL. */
  readonly policies: readonly string[]
  /** It has partitions or children of which no feed can tell: foreign, unlogged or temporary ones. */
  readonly untold: boolean
  /** Of each table that its rows live in: itself, or its partitions and children. */
  readonly identities: readonly IdentityFacts[]
  /** The query of a view. */
  readonly definition: string | null
  readonly columns: readonly ColumnFacts[]
}

/** What the stream says of an old row. */
export interface IdentityFacts {
  /** The replica identity: 'd' the primary key, 'f' all columns, 'i' an index, 'n' nothing. */
  readonly kind: string
  readonly columns: readonly string[]
  /** Columns of the primary key. */
  readonly key: readonly string[]
}

export interface ColumnFacts {
  readonly name: string
  /** Name of its type, such as `int4`. */
  readonly type: string
  /** Equal values are equal text, as far as collation goes. */
  readonly deterministic: boolean
  /** Worked out from other columns: the stream does not carry it. */
  readonly generated: boolean
}

/** A function, or an operator's or cast's function. Of several with one name, built in or not, the most volatile stands for all. */
export interface FunctionFacts {
  readonly name: string
  readonly builtin: boolean
  readonly volatility: 'i' | 's' | 'v'
}

export interface CatalogFacts {
  /** In the order asked; null where there is no such relation. */
  readonly relations: readonly (RelationFacts | null)[]
  readonly functions: readonly FunctionFacts[]
  /** Of the names that were asked for as columns: those that are functions of a row too, called as `orders.total`. */
  readonly rowFunctions: readonly { readonly name: string; readonly builtin: boolean }[]
}

export interface AskedNames {
  readonly relations: readonly { readonly schema: string | undefined; readonly table: string }[]
  /** Their last parts are asked for: a name under the `search_path` may mean any of them. */
  readonly functions: readonly (readonly string[])[]
  readonly operators: readonly (readonly string[])[]
  readonly types: readonly (readonly string[])[]
  /** Columns with a qualifier. */
  readonly qualified: readonly string[]
}

export async function askCatalog(client: Queryable, asked: AskedNames): Promise<CatalogFacts> {
  const { rows } = await client.query(factsSql(asked))
  return JSON.parse((rows[0] as { facts: string }).facts) as CatalogFacts
}

function factsSql({ relations, functions, operators, types, qualified }: AskedNames): string {
  const relationNames = relations.map(({ schema, table }) =>
    schema === undefined ? quoteName(table) : `${quoteName(schema)}.${quoteName(table)}`,
  )
  return `SELECT json_build_object(
    'relations', (SELECT coalesce(json_agg(CASE WHEN c.oid IS NULL THEN NULL ELSE json_build_object(
        'oid', c.oid::bigint, 'schema', n.nspname, 'table', c.relname, 'kind', c.relkind,
        'persistence', c.relpersistence, 'security', c.relrowsecurity,
        'policies', (SELECT coalesce(json_agg(pg_get_expr(polqual, polrelid)), '[]') FROM pg_policy
          WHERE polrelid = c.oid AND polcmd IN ('r', '*') AND polqual IS NOT NULL),
        'untold', (WITH RECURSIVE down(oid) AS (SELECT inhrelid FROM pg_inherits WHERE inhparent = c.oid
            UNION SELECT inhrelid FROM pg_inherits JOIN down ON inhparent = down.oid)
          SELECT count(*) > 0 FROM down JOIN pg_class USING (oid) WHERE relkind NOT IN ('r', 'p') OR relpersistence <> 'p'),
        'identities', (${IDENTITIES}), 'definition', CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END,
        'columns', (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'type', t.typname,
            'deterministic', coalesce(l.collisdeterministic, true), 'generated', a.attgenerated <> '')), '[]')
          FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) END ORDER BY w.at), '[]')
      FROM ${unnested(relationNames)} w(name, at) LEFT JOIN pg_class c ON c.oid = to_regclass(w.name)
      LEFT JOIN pg_namespace n ON n.oid = c.relnamespace),
    'functions', (SELECT coalesce(json_agg(json_build_object('name', f.name, 'builtin', f.builtin, 'volatility', f.volatility)), '[]')
      FROM (SELECT name, builtin,
              CASE WHEN bool_or(volatile = 'v') THEN 'v' WHEN bool_or(volatile = 's') THEN 's' ELSE 'i' END AS volatility
            FROM (${named(functions, operators, types)}) p(name, builtin, volatile) GROUP BY name, builtin) f),
    'rowFunctions', (SELECT coalesce(json_agg(DISTINCT jsonb_build_object('name', p.proname, 'builtin', p.oid < 16384)), '[]')
      FROM ${unnested(qualified)} w(name, at) JOIN pg_proc p ON p.proname = w.name AND p.pronargs = 1
      JOIN pg_type t ON t.oid = p.proargtypes[0] AND t.typtype IN ('c', 'p')))::text AS facts`
}

const IDENTITIES = `
  WITH RECURSIVE down(oid) AS (SELECT c.oid UNION SELECT inhrelid FROM pg_inherits JOIN down ON inhparent = down.oid)
  SELECT coalesce(json_agg(json_build_object('kind', l.relreplident, 'key', ARRAY(${columnsOf('x.indisprimary')}),
    'columns', ARRAY(${columnsOf("CASE l.relreplident WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident END")}))), '[]')
  FROM down JOIN pg_class l USING (oid) WHERE l.relkind = 'r'`

function columnsOf(index: string): string {
  return `SELECT a.attname FROM pg_index x JOIN pg_attribute a ON a.attrelid = l.oid AND a.attnum = ANY (x.indkey)
    WHERE x.indrelid = l.oid AND ${index}`
}

/** Functions by name, functions of operators by name, and functions of casts to types by name. */
function named(
  functions: AskedNames['functions'],
  operators: AskedNames['operators'],
  types: AskedNames['types'],
): string {
  const builtin = `(p.pronamespace = 'pg_catalog'::regnamespace)`
  return `
    SELECT w.name, ${builtin}, p.provolatile FROM ${unnested(lastOf(functions))} w(name, at) JOIN pg_proc p ON p.proname = w.name
    UNION ALL SELECT w.name, ${builtin}, p.provolatile FROM ${unnested(lastOf(operators))} w(name, at)
      JOIN pg_operator o ON o.oprname = w.name JOIN pg_proc p ON p.oid = o.oprcode
    UNION ALL SELECT w.name, ${builtin}, p.provolatile FROM ${unnested(lastOf(types))} w(name, at)
      JOIN pg_type t ON t.typname = w.name JOIN pg_cast c ON c.casttarget = t.oid JOIN pg_proc p ON p.oid = c.castfunc`
}

function lastOf(names: readonly (readonly string[])[]): string[] {
  return names.map((parts) => parts.at(-1)!)
}

function unnested(names: readonly string[]): string {
  return `unnest(ARRAY[${names.map(literal).join(', ')}]::text[]) WITH ORDINALITY`
}
