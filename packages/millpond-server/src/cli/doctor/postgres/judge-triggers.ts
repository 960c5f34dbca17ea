/** What is to be said of triggers: those of mode 'triggers', for servers whose log cannot be read, and those that tell of DDL. */
import { ddlTriggersSql, notifyTriggersSql } from 'millpond/postgres'
import { type Families, isTellable } from './families.ts'
import { type Finding, fault, good, note } from './finding.ts'
import { owners } from './judge-tables.ts'
import { capital, theTables } from './names.ts'
import type { ServerFacts } from './server-facts.ts'
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

/** Without them a view that is replaced, a table that is rewritten and the like are found within seconds, not within the bound. */
export function judgeDdl({ tellsDdl }: ServerFacts): Finding {
  if (tellsDdl) return good('ddl', "Event triggers tell of DDL. Name 'millpond_ddl' among the tables of the feed.")
  return note(
    'ddl',
    "DDL is found within 5 s, REFRESH MATERIALIZED VIEW not at all. With these event triggers, and 'millpond_ddl' among the tables of the feed, both are told like a change of a row.",
    { as: 'a superuser', sql: [ddlTriggersSql()] },
  )
}
