/**
 * Whether a connection leads to the server that the feed speaks of, with the settings under which texts were analysed. A pooler, a
 * name with several addresses or a failover may lead it elsewhere: what is read there is handed out, and not kept.
 *
 * A standby of the same history may be read too, if it has replayed all that the feed has told: asked before each load,
 * because what a standby has not replayed yet would be kept for ever (150 of 150 keys at 60 ms of lag). Whether it still is
 * a standby is asked again after the load: one that was promoted meanwhile has a history of its own.
 */
import type { PostgresFeed } from '../feed.ts'
import { formatLsn } from '../lsn.ts'
import { parsePosition } from '../position.ts'
import type { PgPoolClient } from './pg-pool.ts'
import { SESSION } from './shapes.ts'

/** What may be kept comes from there. */
export type Source = 'primary' | 'standby'
type Role = Source | 'foreign'

export class Origins {
  private readonly feed: Pick<PostgresFeed, 'status' | 'position'>
  /** The settings that a connection has to have. */
  private readonly session: () => string | undefined
  private roles = new WeakMap<PgPoolClient, Promise<Role>>()
  private epoch = 0

  constructor(feed: Pick<PostgresFeed, 'status' | 'position'>, session: () => string | undefined) {
    this.feed = feed
    this.session = session
  }

  /**
   * Where a connection leads, if what is read next on it has all that the feed has told. `anew`: its settings may have
   * changed.
   */
  async sourceOf(client: PgPoolClient, anew = false): Promise<Source | undefined> {
    const role = await this.roleOf(client, anew)
    if (role === 'standby') return (await this.hasReplayed(client)) ? role : undefined
    return role === 'primary' ? role : undefined
  }

  /** Whether what was read on it was read from the server that it led to before. */
  async wasSource(client: PgPoolClient, source: Source): Promise<boolean> {
    const role = await this.roleOf(client)
    return role === source && (role === 'primary' || (await this.answers(client, STANDBY)))
  }

  /** Whether its settings are the usual ones. */
  async isUsual(client: PgPoolClient): Promise<boolean> {
    return (await this.roleOf(client, true)) !== 'foreign'
  }

  private async roleOf(client: PgPoolClient, anew = false): Promise<Role> {
    const { epoch } = this.feed.status()
    if (epoch !== this.epoch) {
      this.epoch = epoch
      this.roles = new WeakMap()
    }
    const known = anew ? undefined : this.roles.get(client)
    const role = known ?? this.ask(client)
    this.roles.set(client, role)
    // What may be otherwise soon is asked again.
    if ((await role) === 'foreign') this.roles.delete(client)
    return await role
  }

  private async ask(client: PgPoolClient): Promise<Role> {
    const { systemId, timeline } = this.feed.status()
    try {
      const { rows } = await client.query(ORIGIN_SQL)
      const row = rows[0] as { system_id: string; timeline: string | null; standby: boolean; session: string }
      if (row.system_id !== systemId || row.session !== this.session()) return 'foreign'
      if (row.timeline === null || Number.parseInt(row.timeline, 16) !== timeline) return 'foreign'
      return row.standby ? 'standby' : 'primary'
    } catch {
      return 'foreign'
    }
  }

  private async hasReplayed(client: PgPoolClient): Promise<boolean> {
    const told = parsePosition(this.feed.position() ?? '')
    return (
      told !== undefined &&
      (await this.answers(client, `${STANDBY} AND pg_last_wal_replay_lsn() >= '${formatLsn(told.lsn)}'`))
    )
  }

  private async answers(client: PgPoolClient, condition: string): Promise<boolean> {
    const { rows } = await client.query(`SELECT coalesce(${condition}, false)::text AS answer`)
    return (rows[0] as { answer: string }).answer === 'true'
  }
}

const STANDBY = 'pg_is_in_recovery()'

/** A standby knows from whom it receives: without that nobody can say which history it follows. */
const ORIGIN_SQL = `
  SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system_id, pg_is_in_recovery() AS standby,
    CASE WHEN pg_is_in_recovery() THEN (SELECT lpad(to_hex(received_tli), 8, '0') FROM pg_stat_wal_receiver)
      ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END AS timeline, ${SESSION} AS session`
