/** What is to be said of mode 'triggers': the way for servers whose log cannot be read. */
import { notifyTriggersSql } from 'millpond/postgres'
import { type Families, isTellable } from './families.ts'
import { type Finding, fault, good, note } from './finding.ts'
import { owners } from './judge-tables.ts'
import { capital, theTables } from './names.ts'
import type { TableFacts } from './table-facts.ts'

const COSTS = 'Whole tables only; commits that notify wait for one another.'

/** For a feed in that mode. */
export function judgeTriggers(families: Families): Finding[] {
  const tables = families.covered.filter(isTellable)
  if (tables.length === 0) return []
  const silent = silentAmong(tables, families)
  if (silent.length === 0) return [good('triggers', `${capital(theTables(tables))} notify. ${COSTS}`)]
  return [
    fault('triggers', `The notify triggers are not on ${theTables(silent)}, or on a part of it.`, {
      as: owners(silent),
      sql: [notifyTriggersSql(silent)],
    }),
  ]
}

/** Where `wal_level` is not what it has to be, and maybe cannot be changed. */
export function proposeTriggers(families: Families): Finding[] {
  const tables = families.covered.filter(isTellable)
  if (tables.length === 0) return []
  const silent = silentAmong(tables, families)
  const says = `Where wal_level cannot be changed, postgresFeed({ mode: 'triggers' }) does without. ${COSTS}`
  if (silent.length === 0) return [note('triggers', `${says} The triggers are there.`)]
  return [note('triggers', says, { as: owners(silent), sql: [notifyTriggersSql(silent)] })]
}

function silentAmong(tables: readonly TableFacts[], families: Families): TableFacts[] {
  return tables.filter((table) => families.withParts(table).some((part) => !part.isTriggered))
}
