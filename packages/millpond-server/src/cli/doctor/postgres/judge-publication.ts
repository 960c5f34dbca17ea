/** What is to be said of the publication. It is never proposed FOR ALL TABLES: that makes updates fail on tables without a key. */
import { escapeIdentifier } from 'pg'
import { type Families, isTellable } from './families.ts'
import { type Finding, fault, good, note, warning } from './finding.ts'
import { owners } from './judge-tables.ts'
import { capital, quoteTable, theTables } from './names.ts'
import type { CatalogFacts, PublicationFacts, TableFacts } from './table-facts.ts'

export interface PublicationContext {
  readonly name: string
  readonly families: Families
  /** Whether the role may make publications in this database. */
  readonly mayPublish: boolean
}

export function judgePublication({ publication }: CatalogFacts, context: PublicationContext): Finding[] {
  const tables = context.families.covered.filter(isTellable)
  if (tables.length === 0) return []
  if (!publication) return [judgeAbsent(tables, context)]
  const found = [
    ...judgeScope(publication, tables, context),
    ...judgeKinds(publication, tables, context.name),
    ...judgeContent(publication, tables, context.name),
    ...judgeLacking(publication, tables, context),
  ]
  if (found.length > 0) return found
  return [good('publication', `The publication ${context.name} announces ${theTables(tables)}.`)]
}

function createSql(name: string, tables: readonly TableFacts[]): string {
  return `CREATE PUBLICATION ${escapeIdentifier(name)} FOR TABLE ${tables.map(quoteTable).join(', ')};`
}

function judgeAbsent(tables: readonly TableFacts[], { name, mayPublish }: PublicationContext): Finding {
  const fix = { as: owners(tables), sql: [createSql(name, tables)] }
  if (mayPublish && tables.every(({ isOwned }) => isOwned))
    return note(
      'publication',
      `There is no publication ${name} yet: the feed makes it when it starts, for the tables that it is given.`,
      fix,
    )
  return fault('publication', `There is no publication ${name}, and this role may not make it.`, fix)
}

/** A publication that takes in tables by itself does harm to the next one without a key. */
function judgeScope(
  { allTables, schemas, owner }: PublicationFacts,
  tables: readonly TableFacts[],
  { name }: PublicationContext,
): Finding[] {
  if (schemas.length > 0)
    return [
      note(
        'publication',
        `The publication ${name} is for all tables of the schema ${schemas.join(', ')}: UPDATE and DELETE will fail on any that is made there without a primary key.`,
      ),
    ]
  if (!allTables) return []
  return [
    warning(
      'publication',
      `The publication ${name} is FOR ALL TABLES: UPDATE and DELETE fail on every table without a primary key, those to come included. If somebody else reads it too, leave it and make another one, with a name of its own.`,
      {
        as: `its owner, ${owner}`,
        sql: ['BEGIN;', `DROP PUBLICATION ${escapeIdentifier(name)};`, createSql(name, tables), 'COMMIT;'],
      },
    ),
  ]
}

/** Kinds of change. */
function judgeKinds(publication: PublicationFacts, tables: readonly TableFacts[], name: string): Finding[] {
  const set = (option: string) => ({
    as: `its owner, ${publication.owner}`,
    sql: [`ALTER PUBLICATION ${escapeIdentifier(name)} SET (${option});`],
  })
  const found: Finding[] = []
  if (!publication.allKinds)
    found.push(
      fault(
        'publication',
        `The publication ${name} leaves out some kinds of change.`,
        set("publish = 'insert, update, delete, truncate'"),
      ),
    )
  if (publication.viaRoot && tables.some(({ kind }) => kind === 'p'))
    found.push(
      fault(
        'publication',
        `The publication ${name} does not tell of TRUNCATE of single partitions.`,
        set('publish_via_partition_root = false'),
      ),
    )
  return found
}

/** Rows and columns. */
function judgeContent({ owner }: PublicationFacts, tables: readonly TableFacts[], name: string): Finding[] {
  const alter = `ALTER PUBLICATION ${escapeIdentifier(name)}`
  const whole = (some: readonly TableFacts[]) => {
    const list = some.map(quoteTable).join(', ')
    return {
      as: `its owner, ${owner}`,
      sql: ['BEGIN;', `${alter} DROP TABLE ${list};`, `${alter} ADD TABLE ${list};`, 'COMMIT;'],
    }
  }
  const filtered = tables.filter(({ isFiltered }) => isFiltered)
  const narrow = tables.filter(({ hasColumnList, isFiltered }) => hasColumnList && !isFiltered)
  const found: Finding[] = []
  if (filtered.length > 0)
    found.push(
      fault(
        'publication',
        `The publication ${name} announces only some rows of ${theTables(filtered)}.`,
        whole(filtered),
      ),
    )
  if (narrow.length > 0)
    found.push(
      note(
        'publication',
        `The publication ${name} announces only some columns of ${theTables(narrow)}: queries by others are voided by any change.`,
        whole(narrow),
      ),
    )
  return found
}

function judgeLacking(
  { isOwned, owner }: PublicationFacts,
  tables: readonly TableFacts[],
  { name, families }: PublicationContext,
): Finding[] {
  const lacking = tables.filter((table) => families.leaves(table).some((leaf) => !families.isAnnounced(leaf)))
  if (lacking.length === 0) return []
  const fix = {
    as: `a superuser, or who owns both the publication (${owner}) and the tables`,
    sql: [`ALTER PUBLICATION ${escapeIdentifier(name)} ADD TABLE ${lacking.map(quoteTable).join(', ')};`],
  }
  const says = `The publication ${name} lacks ${theTables(lacking)}`
  if (isOwned && lacking.every((table) => table.isOwned))
    return [note('publication', `${says}: the feed adds what it is given when it starts.`, fix)]
  return [fault('publication', `${capital(says)}, and this role may not add to it.`, fix)]
}
