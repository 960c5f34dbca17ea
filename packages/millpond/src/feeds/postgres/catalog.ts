/**
 * What the catalog says of the tables that are told about: their primary keys, replica identities, and which table is
 * a partition or child of which. A change of a partition is a change of every table above it.
 */
import type { Queryable } from './client.ts'
import type { TableName } from './tags.ts'

/** One table or partition of the catalog. */
export interface CatalogTable extends TableName {
  readonly oid: number
  /** 'r' a table, 'p' a partitioned one. */
  readonly kind: string
  /** 'p' permanent, 'u' unlogged, 't' temporary. */
  readonly persistence: string
  readonly identity: string
  /** Columns of the primary key, in its order; none when there is no primary key. */
  readonly key: readonly string[]
  readonly parents: readonly number[]
  /** The file of its rows: another one after a rewrite, which no row change tells of. */
  readonly file: number
  /** How many columns it has had. */
  readonly columns: number
  /** Whether the publication has it, so that its changes are announced. Always false without a publication. */
  readonly published: boolean
  /** Whether the notify triggers are on it, enabled also for replicated changes. */
  readonly triggered: boolean
}

export class Catalog {
  private readonly byOid: ReadonlyMap<number, CatalogTable>

  constructor(tables: readonly CatalogTable[]) {
    this.byOid = new Map(tables.map((table) => [table.oid, table]))
  }

  get tables(): CatalogTable[] {
    return [...this.byOid.values()]
  }

  get(oid: number): CatalogTable | undefined {
    return this.byOid.get(oid)
  }

  find({ schema, table }: TableName): CatalogTable | undefined {
    return this.tables.find((one) => one.schema === schema && one.table === table)
  }

  /** The table itself and every table that its rows are also read through. */
  withAncestors(table: CatalogTable): CatalogTable[] {
    const family = new Set([table])
    for (const member of family) for (const oid of member.parents) this.addTo(family, oid)
    return [...family]
  }

  /** The table itself and its partitions and children, at every level. */
  withDescendants(table: CatalogTable): CatalogTable[] {
    return this.tables.filter((one) => this.withAncestors(one).includes(table))
  }

  /** The parts of the family that rows live in: announcements come under their names. */
  leaves(table: CatalogTable): CatalogTable[] {
    return this.withDescendants(table).filter((one) => one.kind === 'r')
  }

  /** Whether the publication has the table. A partition is announced with a partitioned table above it; a child table is not. */
  announced(table: CatalogTable): boolean {
    return this.withAncestors(table).some((one) => one.published && (one === table || one.kind === 'p'))
  }

  /** Everything about a table that decides which tags its changes give, as text to compare. */
  shapeOf(table: CatalogTable): string {
    const shape = ({ oid, identity, key, parents, file, columns }: CatalogTable): unknown[] => {
      return [oid, identity, key, parents, file, columns]
    }
    return JSON.stringify(this.withDescendants(table).map(shape))
  }

  private addTo(family: Set<CatalogTable>, oid: number): void {
    const table = this.byOid.get(oid)
    if (table) family.add(table)
  }
}

/** Reads the families of the named tables and of all tables of the publication (`undefined`: none). */
export async function readCatalog(
  client: Queryable,
  names: readonly TableName[],
  publication?: string,
): Promise<Catalog> {
  const { rows } = await client.query(catalogSql(names, publication))
  const [row] = rows as { tables: string | null }[]
  return new Catalog(JSON.parse(row?.tables ?? '[]') as CatalogTable[])
}

/** The name of the function that the notify triggers run. */
export const NOTIFY_FUNCTION = 'millpond_notify'

/** Simple query text, so that it runs on any connection: the names are quoted as literals. */
function catalogSql(names: readonly TableName[], publication: string | undefined): string {
  const wanted = names.map(({ schema, table }) => `(${literal(schema)}, ${literal(table)})`)
  const named =
    wanted.length === 0
      ? 'SELECT NULL::oid WHERE false'
      : `SELECT c.oid FROM (VALUES ${wanted.join(', ')}) w(s, t) ${OF_NAME}`
  const published =
    publication === undefined
      ? 'SELECT NULL::oid WHERE false'
      : `SELECT c.oid FROM (SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = ${literal(publication)}) w(s, t) ${OF_NAME}
         UNION SELECT prrelid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE pubname = ${literal(publication)}`
  return `
    WITH RECURSIVE published(oid) AS (${published}), named(oid) AS (${named}),
      down(oid) AS (
        SELECT oid FROM named UNION SELECT oid FROM published
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN down ON i.inhparent = down.oid),
      family(oid) AS (SELECT oid FROM down UNION SELECT i.inhparent FROM pg_inherits i JOIN family ON i.inhrelid = family.oid)
    SELECT json_agg(json_build_object(
      'oid', c.oid::bigint, 'schema', n.nspname, 'table', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence,
      'file', c.relfilenode::bigint, 'columns', c.relnatts, 'identity', c.relreplident, 'key', ARRAY(${KEY_COLUMNS}),
      'parents', ARRAY(SELECT inhparent::bigint FROM pg_inherits WHERE inhrelid = c.oid ORDER BY 1),
      'published', c.oid IN (SELECT oid FROM published) ${
        publication === undefined
          ? ''
          : `OR EXISTS (
         SELECT FROM pg_publication WHERE puballtables AND pubname = ${literal(publication)})`
      },
      'triggered', EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
         WHERE t.tgrelid = c.oid AND p.proname = '${NOTIFY_FUNCTION}' AND t.tgenabled = 'A'
         HAVING bit_or(t.tgtype::int) & 60 = 60)) ORDER BY c.oid)::text AS tables
    FROM family JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')`
}

const OF_NAME = 'JOIN pg_namespace n ON n.nspname = w.s JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t'

const KEY_COLUMNS = `
  SELECT a.attname::text FROM pg_index x CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY k(att, at)
  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.att
  WHERE x.indrelid = c.oid AND x.indisprimary AND k.at <= x.indnkeyatts ORDER BY k.at`

/** A string literal that is read the same whatever `standard_conforming_strings` is. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}
