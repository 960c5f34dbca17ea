/**
 * What is to be said of replica identities: by them PostgreSQL says which row an UPDATE or DELETE concerned. Without
 * one it refuses both, for every writer, as soon as the table is published; with a small one less is known of the old row, and more is voided.
 */
import { escapeIdentifier } from 'pg'
import { type Families, isIdentified } from './families.ts'
import { type Finding, type Fix, fault, good, note } from './finding.ts'
import { owners } from './judge-tables.ts'
import { capital, nameOf, quoteTable, theTables } from './names.ts'
import type { CatalogFacts, TableFacts, TableName } from './table-facts.ts'

export function judgeIdentities(families: Families, { refusing }: CatalogFacts): Finding[] {
  const leaves = [...new Set(families.covered.flatMap((table) => families.leaves(table)))]
  const isRefusing = (table: TableName): boolean =>
    refusing.some((one) => one.schema === table.schema && one.table === table.table)
  const nameless = leaves.filter((table) => !isIdentified(table) && !isRefusing(table))
  return [...judgeWriters(refusing), ...nameless.map(judgeNameless), ...judgePrecision(leaves.filter(isIdentified))]
}

/** Published by somebody as they are: writers fail today. */
function judgeWriters(refusing: CatalogFacts['refusing']): Finding[] {
  return refusing.map((table) =>
    fault(
      'writers',
      `UPDATE and DELETE on ${nameOf(table)} fail, for everybody: the publication ${table.publication} has it, and it has no primary key. A primary key is the best remedy.`,
      { as: 'the owner of the table', sql: [identitySql(table, table.uniqueIndex)] },
    ),
  )
}

function judgeNameless(table: TableFacts): Finding {
  const lacks = table.key.length === 0 ? 'no primary key' : 'no replica identity'
  const sql = table.key.length > 0 ? setIdentity(table, 'DEFAULT') : identitySql(table, table.uniqueIndex)
  return fault(
    'identity',
    `The table ${nameOf(table)} has ${lacks}: published as it is, UPDATE and DELETE on it would fail, for everybody.${table.key.length === 0 ? ' A primary key is the best remedy.' : ''}`,
    { as: owners([table]), sql: [sql] },
  )
}

function identitySql(table: TableName, uniqueIndex: string | null): string {
  return setIdentity(table, uniqueIndex === null ? 'FULL' : `USING INDEX ${escapeIdentifier(uniqueIndex)}`)
}

function setIdentity(table: TableName, identity: string): string {
  return `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY ${identity};`
}

const FULL_COSTS = 'FULL makes the log larger: by 43 % for rows of 150 bytes.'

/** How much a change voids. The better way is a choice, not a must. */
function judgePrecision(tables: readonly TableFacts[]): Finding[] {
  const of = (wanted: Precision): TableFacts[] => tables.filter((table) => precisionOf(table) === wanted)
  const say = (
    wanted: Precision,
    words: (names: string) => string,
    fix: (found: readonly TableFacts[]) => Fix | undefined,
  ) => {
    const found = of(wanted)
    if (found.length === 0) return []
    const says = capital(words(theTables(found)))
    return wanted === 'full' ? [good('identity', says)] : [note('identity', says, fix(found))]
  }
  return [
    ...say(
      'full',
      (names) => `${names}: old and new values are known, so a change voids only the queries that it concerns.`,
      () => undefined,
    ),
    ...say(
      'key',
      (names) =>
        `${names}: of an old row the primary key is known. Queries by the key are as precise as can be; those with other conditions are voided by any update or delete. ${FULL_COSTS}`,
      toFull,
    ),
    ...say(
      'index',
      (names) =>
        `${names}: of an old row the columns of an index are known, the primary key among them. Queries by these are precise; those with other conditions are voided by any update or delete. ${FULL_COSTS}`,
      toFull,
    ),
    ...say(
      'table',
      (names) =>
        `${names}: the replica identity lacks the primary key, so an update or delete voids everything that is read from the table.`,
      toFull,
    ),
    ...say(
      'keyless',
      (names) =>
        `${names}: without a primary key each change voids everything that is read from the table. A primary key would help.`,
      () => undefined,
    ),
  ]
}

type Precision = 'full' | 'key' | 'index' | 'table' | 'keyless'

function precisionOf({ identity, key, identityColumns }: TableFacts): Precision {
  if (key.length === 0) return 'keyless'
  if (identity === 'f') return 'full'
  if (identity === 'd') return 'key'
  return key.every((column) => identityColumns.includes(column)) ? 'index' : 'table'
}

function toFull(tables: readonly TableFacts[]): Fix {
  return { as: owners(tables), sql: tables.map((table) => setIdentity(table, 'FULL')) }
}
