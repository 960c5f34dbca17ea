/** What is to be said of the server and of the role. */
import { escapeIdentifier, escapeLiteral } from 'pg'
import { type Finding, fault, good, note } from './finding.ts'
import type { ServerFacts } from './server-facts.ts'
import { type Service, serviceOf } from './services.ts'

/** More log than this, kept for a slot that nobody reads, is worth a word. */
const KEPT_BYTES = 1_000_000_000

/** What matters in either mode. */
export function judgeServer(facts: ServerFacts, knownPid: number | undefined): Finding[] {
  return [judgeVersion(facts), judgePooler(facts, knownPid), ...judgeIdentity(facts), ...judgeCommits(facts)]
}

/** What reading the log needs besides. */
export function judgeReplication(facts: ServerFacts): Finding[] {
  return [judgeWalLevel(facts), ...judgePlaces(facts), judgeRole(facts), ...judgeSlots(facts), ...judgeWaits(facts)]
}

export function judgeVersion({ version, versionText }: ServerFacts): Finding {
  if (version < 130_000)
    return fault('version', `PostgreSQL ${versionText} is too old: a feed needs version 13 or later.`)
  if (version < 140_000)
    return note(
      'version',
      `PostgreSQL ${versionText} tells of a large transaction only after its commit, so reads go to the database meanwhile; version 14 tells of it while it runs.`,
    )
  return good('version', `PostgreSQL ${versionText} is new enough.`)
}

/**
 * A server tells each connection the number of the process that serves it. Where the process that answers has another one, something
 * in between has made that number up.
 */
function judgePooler({ answeringPid }: ServerFacts, knownPid: number | undefined): Finding {
  if (knownPid === answeringPid) return good('pooler', 'The connection leads to PostgreSQL itself.')
  return fault(
    'pooler',
    `Something like pgbouncer stands in between: process ${answeringPid} answers where ${knownPid ?? 'none'} was announced. ` +
      'A feed needs a connection of its own; give it the address of the server itself, and the same to the pool whose reads are cached.',
  )
}

function judgeIdentity({ mayIdentify, role }: ServerFacts): Finding[] {
  if (mayIdentify) return []
  const sql = `GRANT EXECUTE ON FUNCTION pg_control_system(), pg_control_init() TO ${escapeIdentifier(role)};`
  return [fault('identity', `The role ${role} may not ask which server this is.`, { as: 'a superuser', sql: [sql] })]
}

function judgeCommits({ synchronousCommit, asynchronous, synchronousStandbys }: ServerFacts): Finding[] {
  const found: Finding[] = []
  if (synchronousCommit === 'off')
    found.push(
      note(
        'commits',
        'synchronous_commit is off: commits are visible before they are on disk. The feed notices, and counts them from the log in memory.',
      ),
    )
  else if (asynchronous.length > 0)
    found.push(
      note(
        'commits',
        `synchronous_commit is off for ${asynchronous.join(', ')}: such commits are visible before the log on disk shows them. Give postgresFeed the option lsn: 'insert', or the bound does not hold for them.`,
      ),
    )
  else
    found.push(
      good(
        'commits',
        "Commits are on disk before they are visible. Where an application sets synchronous_commit = off for itself, give postgresFeed the option lsn: 'insert'.",
      ),
    )
  if (synchronousStandbys.includes('*'))
    found.push(
      note(
        'standbys',
        "synchronous_standby_names has a '*': a feed with a slot that is kept would be waited for as a standby. Name the standbys, or leave the slot temporary.",
      ),
    )
  return found
}

function judgeWalLevel(facts: ServerFacts): Finding {
  const { walLevel, walLevelPending } = facts
  if (walLevel === 'logical') return good('wal-level', 'wal_level is logical: the log says which rows change.')
  const says = `wal_level is ${walLevel}: the log does not say which rows change.`
  if (walLevelPending) return fault('wal-level', `${says} Another value waits for a restart: restart the server.`)
  const service = serviceOf(facts)
  if (service) return fault('wal-level', `${says} On ${service.name}: ${service.walLevel}.`)
  return fault('wal-level', says, {
    as: 'a superuser',
    sql: ["ALTER SYSTEM SET wal_level = 'logical';"],
    also: 'then restart the server',
  })
}

/** A feed takes one of each. */
function judgePlaces(facts: ServerFacts): Finding[] {
  const { slots, slotsMax, sendersUsed, sendersMax } = facts
  const service = serviceOf(facts)
  return [
    judgePlace('slots', 'replication slots', 'max_replication_slots', slots.length, slotsMax, service),
    judgePlace('walsenders', 'walsenders', 'max_wal_senders', sendersUsed, sendersMax, service),
  ]
}

function judgePlace(
  about: string,
  things: string,
  setting: string,
  used: number,
  max: number,
  service: Service | undefined,
): Finding {
  if (used < max) return good(about, `${max - used} of ${max} ${things} are free (${setting}); a feed takes one.`)
  const says = `No ${things} are left: ${used} of ${max} are taken, and a feed takes one.`
  const more = Math.max(10, max * 2)
  if (service)
    return fault(about, `${says} On ${service.name}: set ${setting} = ${more} among its parameters, and restart.`)
  return fault(about, says, {
    as: 'a superuser',
    sql: [`ALTER SYSTEM SET ${setting} = ${more};`],
    also: 'then restart the server',
  })
}

function judgeRole(facts: ServerFacts): Finding {
  const { role, superuser, replication, rdsReplication } = facts
  if (superuser || replication || rdsReplication) return good('role', `The role ${role} may replicate.`)
  const name = escapeIdentifier(role)
  const sql = serviceOf(facts)?.grant(name) ?? `ALTER ROLE ${name} REPLICATION;`
  return fault('role', `The role ${role} may not replicate.`, { as: 'a superuser', sql: [sql] })
}

/** Slots that nobody reads make the server keep its log. */
function judgeSlots({ slots }: ServerFacts): Finding[] {
  const forgotten = slots.filter(({ active, kept }) => !active && kept > KEPT_BYTES)
  if (forgotten.length === 0) return []
  const names = forgotten.map(({ name, kept }) => `${name} (${(kept / 1e9).toFixed(1)} GB)`).join(', ')
  return [
    note(
      'kept-log',
      `The server keeps its log for slots that nobody reads: ${names}. Drop those that are not needed.`,
      {
        as: 'a superuser',
        sql: forgotten.map(({ name }) => `SELECT pg_drop_replication_slot(${escapeLiteral(name)});`),
      },
    ),
  ]
}

/** A new slot waits for them; so does the feed, and reads go to the database. */
function judgeWaits({ writing, prepared }: ServerFacts): Finding[] {
  const found: Finding[] = []
  for (const { pid, application, seconds } of writing)
    found.push(
      note(
        'waits',
        `Process ${pid}${application && ` (${application})`} has been writing in one transaction for ${seconds} s: a feed that starts now waits for its end.`,
        { as: 'a superuser', sql: [`SELECT pg_terminate_backend(${pid});`] },
      ),
    )
  for (const { gid, seconds } of prepared)
    found.push(
      note('waits', `The prepared transaction ${gid} is ${seconds} s old: a feed that starts now waits for its end.`, {
        as: 'who prepared it, or a superuser',
        sql: [`ROLLBACK PREPARED ${escapeLiteral(gid)};`],
        also: 'or COMMIT PREPARED',
      }),
    )
  return found
}
