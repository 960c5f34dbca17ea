/**
 * Makes sure that the publication announces everything that happens to the tables, or says in SQL what to do. It is
 * never made FOR ALL TABLES: PostgreSQL refuses updates and deletes, of every writer, on a published table without a
 * key. For the same reason no table without one is added to it.
 */
import { FeedError } from '../../core/errors.ts'
import { type Catalog, type CatalogTable, literal, readCatalog } from './catalog.ts'
import type { Queryable } from './client.ts'
import { firstRow, sqlState } from './connect.ts'
import { coveredTables } from './coverage.ts'
import type { FeedSettings } from './options.ts'
import type { ServerInfo } from './server-info.ts'
import { quoteName, quoteTable, tableTag } from './tags.ts'

/**
 * Checks and completes the publication; returns the catalog of what it announces, and whether it had to be altered.
 * Throws FeedError with what to do.
 */
export async function preparePublication(
  client: Queryable,
  settings: FeedSettings,
  server: ServerInfo,
): Promise<{ catalog: Catalog; altered: boolean }> {
  checkWalLevel(server)
  const { tables, publication } = settings
  let catalog = await readCatalog(client, tables, publication)
  for (const name of tables) checkTable(catalog.find(name), tableTag(name))
  let turns = 0
  // Another process may be at it too: what it left out is added in the next turn.
  while (turns < 3 && (await completed(client, settings, catalog))) {
    catalog = await readCatalog(client, tables, publication)
    turns++
  }
  await checkPublication(client, settings, catalog)
  for (const table of coveredTables(catalog, tables)) checkUpdatable(catalog, table, settings)
  return { catalog, altered: turns > 0 }
}

/** The covered tables, and parts of them, whose changes the publication does not announce. */
export function unpublished(catalog: Catalog, covered: readonly CatalogTable[]): CatalogTable[] {
  const parts = new Set(covered.flatMap((table) => [table, ...catalog.leaves(table)]))
  return [...parts].filter((part) => !catalog.announced(part))
}

function checkWalLevel({ walLevel }: ServerInfo): void {
  if (walLevel === 'logical') return
  throw new FeedError(
    `wal_level is '${walLevel}', and reading changes from the log needs 'logical': run ALTER SYSTEM SET wal_level = 'logical' and ` +
      "restart the server (managed services have a parameter for it). Where that cannot be, use postgresFeed({ mode: 'triggers' })",
  )
}

export function checkTable(table: CatalogTable | undefined, tag: string): void {
  if (!table)
    throw new FeedError(
      `there is no table ${tag} in this database; names are taken as they are spelled, as in tables: ['schema.table']`,
    )
  if (table.persistence !== 'p')
    throw new FeedError(
      `the table ${tag} is ${table.persistence === 'u' ? 'unlogged' : 'temporary'}: its changes are not in the log`,
    )
}

/** Creates the publication, or adds what it lacks. False when there was nothing to do. */
async function completed(client: Queryable, settings: FeedSettings, catalog: Catalog): Promise<boolean> {
  const { tables, publication } = settings
  if (tables.length === 0) return false
  const exists = await publicationExists(client, publication)
  const covered = coveredTables(catalog, tables)
  const lacking = covered.filter((table) => unpublished(catalog, [table]).length > 0)
  if (exists && lacking.length === 0) return false
  for (const table of exists ? lacking : covered) checkKey(catalog, table)
  const list = (exists ? lacking : covered).map(quoteTable).join(', ')
  const sql = exists
    ? `ALTER PUBLICATION ${quoteName(publication)} ADD TABLE ${list}`
    : `CREATE PUBLICATION ${quoteName(publication)} FOR TABLE ${list}`
  await alter(client, sql)
  return true
}

async function publicationExists(client: Queryable, name: string): Promise<boolean> {
  const { rows } = await client.query(`SELECT 1 FROM pg_publication WHERE pubname = ${literal(name)}`)
  return rows.length > 0
}

/** Duplicate object, and the unique index that says so when two processes create it at once. */
const DUPLICATE = ['42710', '23505']
const NOT_PERMITTED = '42501'

async function alter(client: Queryable, sql: string): Promise<void> {
  try {
    await client.query(sql)
  } catch (cause) {
    // Another process of the same application did it first.
    if (DUPLICATE.includes(sqlState(cause) ?? '')) return
    if (sqlState(cause) !== NOT_PERMITTED) throw cause
    throw new FeedError(
      `the role may not prepare the publication (${(cause as Error).message}): let the owner of the tables run ${sql}`,
      { cause },
    )
  }
}

/** Before a table is published: without a key its updates and deletes would begin to fail. */
function checkKey(catalog: Catalog, table: CatalogTable): void {
  for (const leaf of catalog.leaves(table)) {
    if (identifiable(leaf)) continue
    const name = quoteTable(leaf)
    throw new FeedError(
      `the table ${tableTag(leaf)} has no ${leaf.key.length === 0 ? 'primary key' : 'replica identity'}: published as it is, PostgreSQL would ` +
        `refuse to update or delete its rows. Run ${
          leaf.key.length === 0
            ? `ALTER TABLE ${name} ADD PRIMARY KEY (...), or ALTER TABLE ${name} REPLICA IDENTITY FULL`
            : `ALTER TABLE ${name} REPLICA IDENTITY DEFAULT`
        }`,
    )
  }
}

function identifiable({ identity, key }: CatalogTable): boolean {
  return identity === 'f' || identity === 'i' || (identity === 'd' && key.length > 0)
}

async function checkPublication(client: Queryable, settings: FeedSettings, catalog: Catalog): Promise<void> {
  const name = settings.publication
  const row = await firstRow(
    client,
    `SELECT (pubinsert AND pubupdate AND pubdelete AND pubtruncate)::text AS whole, pubviaroot::text AS via_root, ${FILTERED}
    FROM pg_publication p WHERE pubname = ${literal(name)}`,
  )
  if (row.whole === undefined)
    throw new FeedError(
      `there is no publication ${name}: run CREATE PUBLICATION ${quoteName(name)} FOR TABLE ..., or give { tables }`,
    )
  const alterSet = `ALTER PUBLICATION ${quoteName(name)} SET`
  if (row.whole === 'false')
    throw new FeedError(
      `the publication ${name} leaves out some kinds of change: run ${alterSet} (publish = 'insert, update, delete, truncate')`,
    )
  if (row.filtered)
    throw new FeedError(
      `the publication ${name} announces only some rows of ${row.filtered}: publish the table without WHERE`,
    )
  const covered = coveredTables(catalog, settings.tables)
  if (row.via_root === 'true' && covered.some((table) => table.kind === 'p')) {
    throw new FeedError(
      `the publication ${name} hides TRUNCATE of single partitions: run ${alterSet} (publish_via_partition_root = false)`,
    )
  }
  const [hidden] = unpublished(catalog, covered)
  if (hidden)
    throw new FeedError(
      `the publication ${name} lacks the table ${tableTag(hidden)}: run ALTER PUBLICATION ${quoteName(name)} ADD TABLE ${quoteTable(hidden)}`,
    )
}

/** Row filters came with PostgreSQL 15; read as JSON, the column may be absent. */
const FILTERED = `(SELECT string_agg(prrelid::regclass::text, ', ') FROM pg_publication_rel r
  WHERE r.prpubid = p.oid AND to_jsonb(r)->>'prqual' IS NOT NULL) AS filtered`

/** A publication of the user's may have such tables: writers cannot update them, so nothing is missed. */
function checkUpdatable(catalog: Catalog, table: CatalogTable, { logger, publication }: FeedSettings): void {
  for (const leaf of catalog.leaves(table)) {
    if (identifiable(leaf)) continue
    logger.warn(
      { table: tableTag(leaf), publication },
      'a published table without key or replica identity: PostgreSQL refuses to update or delete its rows',
    )
  }
}
