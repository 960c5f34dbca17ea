/** What is to be said of the tables in either mode: whether they are there, what they are, who may read them. */
import { escapeIdentifier } from 'pg'
import { type Families, isTellable } from './families.ts'
import { type Finding, fault, good, note } from './finding.ts'
import { nameOf, quoteTable, theTables } from './names.ts'
import type { TableFacts, TableName } from './table-facts.ts'

export function judgeTables(families: Families, asked: readonly TableName[] | undefined, role: string): Finding[] {
  const { covered } = families
  return [
    ...judgePresence(covered, asked),
    ...covered.flatMap(judgeKind),
    ...covered.flatMap((table) => judgeParts(table, families)),
    ...judgeRights(covered.filter(isTellable), role),
    ...judgeRowSecurity(covered.filter(({ hasRowSecurity }) => hasRowSecurity)),
  ]
}

function judgePresence(covered: readonly TableFacts[], asked: readonly TableName[] | undefined): Finding[] {
  if (covered.length === 0 && asked === undefined) return [fault('tables', 'There are no tables to be told about.')]
  const missing = (asked ?? []).filter(
    (one) => !covered.some(({ schema, table }) => one.schema === schema && one.table === table),
  )
  return missing.map((one) =>
    fault(
      'tables',
      `There is no table ${nameOf(one)} in this database. Names are taken as they are spelled, and outside of public with their schema.`,
    ),
  )
}

const KINDS: Readonly<Record<string, string>> = {
  v: 'a view: name the tables that it reads',
  m: 'a materialized view: nothing tells of its REFRESH, so give what is read from it a ttl',
  f: 'a foreign table: its rows change on another server',
  S: 'a sequence',
  i: 'an index',
}

function judgeKind(table: TableFacts): Finding[] {
  const kind = KINDS[table.kind]
  if (kind) return [fault('tables', `${nameOf(table)} is ${kind}.`)]
  return table.persistence === 'p' ? [] : [notLogged(table)]
}

function notLogged(table: TableFacts): Finding {
  if (table.persistence === 't')
    return fault('tables', `${nameOf(table)} is a temporary table: nobody else sees it, and nothing tells of it.`)
  return fault('tables', `${nameOf(table)} is unlogged: its changes are not in the log.`, {
    as: `its owner, ${table.owner}`,
    sql: [`ALTER TABLE ${quoteTable(table)} SET LOGGED;`],
    also: 'it writes the whole table anew',
  })
}

function judgeParts(table: TableFacts, families: Families): Finding[] {
  const parts = families.withParts(table).filter((part) => part !== table)
  if (parts.length === 0) return []
  const untold = parts.filter((part) => !isTellable(part))
  const what = `${table.kind === 'p' ? 'partition' : 'child table'}${parts.length > 1 ? 's' : ''}`
  if (untold.length === 0)
    return [
      good(
        'parts',
        `The table ${nameOf(table)} has ${parts.length} ${what}. What changes there counts for it, and so will what changes in new ones.`,
      ),
    ]
  return untold.map((part) => {
    const kind = KINDS[part.kind]
    if (!kind) return notLogged(part)
    return fault(
      'parts',
      `The part ${nameOf(part)} of ${nameOf(table)} is ${kind}. What is read from ${nameOf(table)} can be stale.`,
    )
  })
}

function judgeRights(tables: readonly TableFacts[], role: string): Finding[] {
  const unreadable = tables.filter(({ isReadable }) => !isReadable)
  if (unreadable.length === 0) return []
  const to = escapeIdentifier(role)
  const schemas = [...new Set(unreadable.map(({ schema }) => escapeIdentifier(schema)))].join(', ')
  return [
    note(
      'rights',
      `The role ${role} may not read ${theTables(unreadable)}. The feed does without; queries of this role do not.`,
      {
        as: owners(unreadable),
        sql: [
          `GRANT USAGE ON SCHEMA ${schemas} TO ${to};`,
          `GRANT SELECT ON ${unreadable.map(quoteTable).join(', ')} TO ${to};`,
        ],
      },
    ),
  ]
}

function judgeRowSecurity(tables: readonly TableFacts[]): Finding[] {
  if (tables.length === 0) return []
  return [
    note(
      'row-security',
      `Row security is on for ${theTables(tables)}: who asks decides what is seen. cachePool caches queries of such tables only with the option role, which says who all connections are.`,
    ),
  ]
}

/** Who may alter these tables. */
export function owners(tables: readonly TableFacts[]): string {
  return `the owner of the tables, ${[...new Set(tables.map(({ owner }) => owner))].join(', ')}`
}
