/**
 * Whether a connection leads to the server that the feed speaks of. A pooler, a name with several addresses or a
 * failover may lead it elsewhere: what is read there is handed out, and not kept.
 *
 * A standby of the same history may be read too, if it has replayed all that the feed has told: asked before each load,
 * because what a standby has not replayed yet would be kept for ever (150 of 150 keys at 60 ms of lag).
 */
import type { PostgresFeed } from '../feed.ts'
import { formatLsn } from '../lsn.ts'
import { parsePosition } from '../position.ts'
import type { PgPoolClient } from './pg-pool.ts'

type Role = 'primary' | 'standby' | 'foreign'

export class Origins {
  private readonly feed: Pick<PostgresFeed, 'status' | 'position'>
  private roles = new WeakMap<PgPoolClient, Promise<Role>>()
  private epoch = 0

  constructor(feed: Pick<PostgresFeed, 'status' | 'position'>) {
    this.feed = feed
  }

  /** Whether what is read next on this connection has all that the feed has told. */
  async isSure(client: PgPoolClient): Promise<boolean> {
    const { epoch } = this.feed.status()
    if (epoch !== this.epoch) {
      this.epoch = epoch
      this.roles = new WeakMap()
    }
    const role = this.roles.get(client) ?? this.ask(client)
    this.roles.set(client, role)
    const known = await role
    return known === 'primary' || (known === 'standby' && (await this.hasReplayed(client)))
  }

  private async ask(client: PgPoolClient): Promise<Role> {
    const { systemId, timeline } = this.feed.status()
    try {
      const { rows } = await client.query(ORIGIN_SQL)
      const row = rows[0] as { system_id: string; timeline: string | null }
      if (row.system_id !== systemId) return 'foreign'
      if (row.timeline === null) return 'standby'
      return Number.parseInt(row.timeline, 16) === timeline ? 'primary' : 'foreign'
    } catch {
      this.roles.delete(client)
      return 'foreign'
    }
  }

  private async hasReplayed(client: PgPoolClient): Promise<boolean> {
    const told = parsePosition(this.feed.position() ?? '')
    if (!told) return false
    const lsn = formatLsn(told.lsn)
    const { rows } = await client.query(`SELECT (pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn)::text AS replayed`)
    return (rows[0] as { replayed: string | null }).replayed === 'true'
  }
}

const ORIGIN_SQL = `
  SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system_id,
    CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END AS timeline`
