/** What the publication and the tables are like: everything that is judged of them, read by one query that changes nothing. */
import type { Client } from 'pg'

export interface TableName {
  readonly schema: string
  readonly table: string
}

export interface TableFacts extends TableName {
  readonly oid: number
  /** 'r' table, 'p' partitioned table, 'v' view, 'm' materialized view, 'f' foreign table. */
  readonly kind: string
  /** 'p' permanent, 'u' unlogged, 't' temporary. */
  readonly persistence: string
  readonly parents: readonly number[]
  /** It was asked for, or belongs to the publication; others are parts of such, or what such are parts of. */
  readonly named: boolean
  readonly isPart: boolean
  /** Columns of the primary key. */
  readonly key: readonly string[]
  /** The replica identity: 'd' the primary key, 'f' all columns, 'i' an index, 'n' nothing. */
  readonly identity: string
  /** Columns of the index that is the replica identity; empty also where that index was dropped. */
  readonly identityColumns: readonly string[]
  /** A unique index that could be the replica identity. */
  readonly uniqueIndex: string | null
  readonly owner: string
  readonly isOwned: boolean
  readonly isReadable: boolean
  readonly hasRowSecurity: boolean
  /** The publication names it, its schema, or all tables. */
  readonly isPublished: boolean
  /** The publication announces some rows of it, or some columns. */
  readonly isFiltered: boolean
  readonly hasColumnList: boolean
  /** The notify triggers are on it, for rows that come by replication too. */
  readonly isTriggered: boolean
}

export interface PublicationFacts {
  readonly owner: string
  readonly isOwned: boolean
  readonly allTables: boolean
  /** Schemas of which all tables are published. */
  readonly schemas: readonly string[]
  readonly allKinds: boolean
  readonly viaRoot: boolean
}

export interface CatalogFacts {
  readonly publication: PublicationFacts | null
  readonly tables: readonly TableFacts[]
  /** Tables that some publication has, without key or replica identity: their rows cannot be updated or deleted now. */
  readonly refusing: readonly (TableName & { readonly publication: string; readonly uniqueIndex: string | null })[]
}

/** @param names `undefined`: the tables of the publication; where there is none, all tables */
export async function readCatalogFacts(
  client: Client,
  names: readonly TableName[] | undefined,
  publication: string,
  serverVersion: number,
): Promise<CatalogFacts> {
  const values = [names === undefined ? null : JSON.stringify(names), publication]
  const { rows } = await client.query<{ facts: CatalogFacts }>(catalogSql(serverVersion >= 150_000), values)
  return rows[0]!.facts
}

/** By name, by schema, or all. A column that only newer versions have is read as JSON. */
const DIRECT = `
  SELECT c.oid FROM pg_publication_tables t JOIN pg_namespace n ON n.nspname = t.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename WHERE t.pubname = $2
  UNION SELECT prrelid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE pubname = $2`

const USERS_TABLES = `
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
    AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`

const UNIQUE_INDEX = `
  (SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
   WHERE x.indrelid = c.oid AND x.indisunique AND x.indimmediate AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
     AND NOT EXISTS (SELECT FROM unnest(x.indkey::int2[]) k JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k WHERE NOT a.attnotnull)
   ORDER BY x.indnatts LIMIT 1)`

/** Columns of an index of the table, in its order. */
const columnsOf = (index: 'indisprimary' | 'indisreplident'): string => `
  ARRAY(SELECT a.attname FROM pg_index x CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY k(att, at)
    JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.att
    WHERE x.indrelid = c.oid AND x.${index} AND k.at <= x.indnkeyatts ORDER BY k.at)`

const published = (column: 'prqual' | 'prattrs'): string => `
  EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
    WHERE r.prrelid = c.oid AND p.pubname = $2 AND to_jsonb(r)->>'${column}' IS NOT NULL)`

const TABLE = `
  'oid', c.oid::bigint, 'schema', n.nspname, 'table', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence,
  'parents', ARRAY(SELECT inhparent::bigint FROM pg_inherits WHERE inhrelid = c.oid), 'isPart', c.relispartition,
  'named', c.oid IN (SELECT oid FROM named), 'key', ${columnsOf('indisprimary')}, 'identity', c.relreplident,
  'identityColumns', ${columnsOf('indisreplident')}, 'uniqueIndex', ${UNIQUE_INDEX},
  'owner', pg_get_userbyid(c.relowner), 'isOwned', pg_has_role(c.relowner, 'USAGE'),
  'isReadable', has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
  'hasRowSecurity', c.relrowsecurity, 'isPublished', c.oid IN (SELECT oid FROM direct),
  'isFiltered', ${published('prqual')}, 'hasColumnList', ${published('prattrs')},
  'isTriggered', EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = c.oid AND p.proname = 'millpond_notify' AND t.tgenabled = 'A' HAVING bit_or(t.tgtype::int) & 60 = 60)`

/** Publications of whole schemas came with PostgreSQL 15. */
const SCHEMAS = `
  (SELECT coalesce(json_agg(nspname), '[]') FROM pg_publication_namespace s JOIN pg_namespace n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid)`

const publicationSql = (withSchemas: boolean): string => `
  SELECT json_build_object('owner', pg_get_userbyid(pubowner), 'isOwned', pg_has_role(pubowner, 'USAGE'),
    'allTables', puballtables, 'allKinds', pubinsert AND pubupdate AND pubdelete AND pubtruncate, 'viaRoot', pubviaroot,
    'schemas', ${withSchemas ? SCHEMAS : "'[]'::json"})
  FROM pg_publication p WHERE pubname = $2`

const REFUSING = `
  SELECT coalesce(json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'publication', p.pubname,
    'uniqueIndex', ${UNIQUE_INDEX}) ORDER BY 1), '[]')
  FROM pg_publication p JOIN pg_publication_tables t USING (pubname) JOIN pg_namespace n ON n.nspname = t.schemaname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
  WHERE (p.pubupdate OR p.pubdelete) AND c.relkind = 'r' AND (c.relreplident = 'n'
    OR c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary)
    OR c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisreplident))`

const catalogSql = (withSchemas: boolean): string => `
  WITH RECURSIVE direct(oid) AS (${DIRECT}),
    named(oid) AS (
      SELECT c.oid FROM json_to_recordset($1::json) w(schema text, "table" text)
        JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w."table"
      UNION SELECT oid FROM direct WHERE $1 IS NULL
      UNION (${USERS_TABLES} AND $1 IS NULL AND NOT EXISTS (SELECT FROM direct))),
    down(oid) AS (SELECT oid FROM named UNION SELECT i.inhrelid FROM pg_inherits i JOIN down ON i.inhparent = down.oid),
    family(oid) AS (SELECT oid FROM down UNION SELECT i.inhparent FROM pg_inherits i JOIN family ON i.inhrelid = family.oid)
  SELECT json_build_object('publication', (${publicationSql(withSchemas)}), 'refusing', (${REFUSING}), 'tables', (
    SELECT coalesce(json_agg(json_build_object(${TABLE}) ORDER BY n.nspname, c.relname), '[]')
    FROM family JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace)) AS facts`
