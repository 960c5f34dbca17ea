/**
 * The replication slot and the start of an epoch: from which commit on everything will be told, and that everything
 * before it is visible to readers.
 */

import { type Clock, sleep } from '../../core/clock.ts'
import { FeedError } from '../../core/errors.ts'
import { literal } from './catalog.ts'
import type { Queryable } from './client.ts'
import { firstRow, sqlState } from './connect.ts'
import { type Lsn, parseLsn } from './lsn.ts'
import { parseSnapshot, type Snapshot, seenOnlyBy } from './snapshot.ts'

export interface Slot {
  readonly name: string
  /** Commits that end after it are told. */
  readonly startLsn: Lsn
  /** Whether it was made now. One that was kept is acknowledged only up to what its reader had seen to be visible. */
  readonly created: boolean
}

export interface SlotContext {
  readonly walsender: Queryable
  readonly control: Queryable
  readonly clock: Clock
  /** How long to wait before somebody is told who blocks. */
  readonly patienceMs: number
  /** The process id of the walsender's backend. */
  readonly walsenderPid: number
  waiting(reason: string): void
}

/** A slot of this connection: the server drops it when the connection ends. */
export function temporarySlot(context: SlotContext, random: () => number): Promise<Slot> {
  const name = `millpond_${context.walsenderPid}_${Math.floor(random() * 2 ** 32).toString(36)}`
  return createSlot(context, name, true)
}

/**
 * A slot that is kept between connections: the existing one, unless it is of no use any more.
 *
 * @param renew the publication was just altered: transactions that began before announce their changes by the old one.
 * A new slot waits for them to end.
 */
export async function keptSlot(context: SlotContext, name: string, renew: boolean): Promise<Slot> {
  const row = await firstRow(context.control, slotSql(name))
  if (row.name === undefined) return createSlot(context, name, false)
  if (row.plugin !== 'pgoutput' || row.here !== 'true') {
    throw new FeedError(
      `the replication slot ${name} belongs to something else (plugin ${row.plugin}, database ${row.database}); choose another name`,
    )
  }
  const startLsn = row.lsn ? parseLsn(row.lsn) : undefined
  if (!renew && row.wal_status !== 'lost' && startLsn !== undefined) return { name, startLsn, created: false }
  await dropSlot(context.control, name)
  return createSlot(context, name, false)
}

export async function dropSlot(control: Queryable, name: string): Promise<void> {
  await control.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${literal(name)} AND NOT active`,
  )
}

const slotSql = (name: string): string => `
  SELECT slot_name AS name, plugin, database, (database = current_database())::text AS here, wal_status, confirmed_flush_lsn::text AS lsn
  FROM pg_replication_slots WHERE slot_name = ${literal(name)}`

const NOT_PERMITTED = '42501'

async function createSlot(context: SlotContext, name: string, temporary: boolean): Promise<Slot> {
  const sql = `CREATE_REPLICATION_SLOT "${name}" ${temporary ? 'TEMPORARY ' : ''}LOGICAL pgoutput EXPORT_SNAPSHOT`
  const watch = watchBlockers(context)
  const row = await firstRow(context.walsender, sql)
    .catch((cause: unknown) => {
      throw sqlState(cause) === NOT_PERMITTED ? notPermitted(cause) : cause
    })
    .finally(() => watch.stop())
  await everythingVisible(context, row.snapshot_name!)
  return { name, startLsn: parseLsn(row.consistent_point!)!, created: true }
}

export function notPermitted(cause: unknown): FeedError {
  return new FeedError(
    `the role may not replicate (${(cause as Error).message}): run ALTER ROLE the_role REPLICATION (on Amazon RDS: GRANT rds_replication TO the_role)`,
    { cause },
  )
}

/**
 * The exported snapshot sees every commit before the slot's starting point, in the log's order. Such a commit may not
 * be visible to readers yet and will never be announced, so the epoch waits until readers see all of them. Importing
 * the snapshot also proves that both connections lead to the same server.
 */
async function everythingVisible(context: SlotContext, snapshotName: string): Promise<void> {
  const { control, clock } = context
  await control.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await control.query(`SET TRANSACTION SNAPSHOT ${literal(snapshotName)}`)
  const ahead = await currentSnapshot(control)
  await control.query('COMMIT')
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, 50)) {
    const missing = seenOnlyBy(ahead, await currentSnapshot(control))
    if (missing.length === 0) return
    if (delayMs === 50)
      context.waiting(`transaction ${missing[0]} is in the log and not visible yet (a synchronous standby is awaited?)`)
    await sleep(clock, delayMs)
  }
}

async function currentSnapshot(control: Queryable): Promise<Snapshot> {
  const row = await firstRow(control, 'SELECT pg_current_snapshot()::text AS snapshot')
  return parseSnapshot(row.snapshot!)
}

/** A slot can only be made once every transaction that is writing has ended. Says which ones, while that lasts. */
function watchBlockers(context: SlotContext): { stop(): void } {
  let stopped = false
  let timer = context.clock.after(context.patienceMs, look)
  function look(): void {
    blockers(context).then(
      (reason) => {
        if (stopped) return
        if (reason !== undefined) context.waiting(reason)
        timer = context.clock.after(context.patienceMs, look)
      },
      // The connection is lost: the session ends by itself.
      () => {},
    )
  }
  return {
    stop() {
      stopped = true
      timer.cancel()
    },
  }
}

async function blockers({ control, walsenderPid }: SlotContext): Promise<string | undefined> {
  const { rows } = await control.query(BLOCKERS_SQL(walsenderPid))
  const found = (rows as Record<string, string | null>[]).map(describeBlocker)
  return found.length === 0
    ? undefined
    : `the replication slot waits for open write transactions to end: ${found.join('; ')}`
}

const BLOCKERS_SQL = (pid: number): string => `
  SELECT b.pid::text AS pid, a.state, a.application_name AS application, extract(epoch FROM now() - a.xact_start)::int::text AS seconds
  FROM unnest(pg_blocking_pids(${pid})) b(pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid`

function describeBlocker({ pid, state, application, seconds }: Record<string, string | null>): string {
  if (pid === '0') return 'a prepared transaction (see pg_prepared_xacts)'
  const details = [state, application && `application ${application}`, seconds && `open for ${seconds} s`].filter(
    Boolean,
  )
  return `process ${pid}${details.length > 0 ? ` (${details.join(', ')})` : ''}, which SELECT pg_terminate_backend(${pid}) would end`
}
