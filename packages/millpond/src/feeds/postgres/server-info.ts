/** Which server a connection leads to, and whether a feed can run there. */
import { FeedError } from '../../core/errors.ts'
import type { Queryable } from './client.ts'
import { firstRow } from './connect.ts'

export interface ServerInfo {
  /** Identity of the cluster's data: the same on a primary and its standbys. */
  readonly systemId: string
  readonly timeline: number
  /** For example 150018. */
  readonly version: number
  readonly versionText: string
  readonly walLevel: string
  /** What a session of this role and database gets: `off` where commits are acknowledged before they are on disk. */
  readonly synchronousCommit: string
  readonly segmentBytes: bigint
  readonly user: string
}

/** @throws FeedError when it is a standby or too old */
export async function serverInfo(client: Queryable): Promise<ServerInfo> {
  const row = await firstRow(client, INFO_SQL)
  if (row.standby === 'true') {
    throw new FeedError(
      'the server is a standby: a feed needs the primary. Connect to it (target_session_attrs=read-write), or wait for the promotion',
    )
  }
  const version = Number(row.version)
  if (version < 130_000)
    throw new FeedError(`PostgreSQL ${row.version_text} is too old: a feed needs version 13 or later`)
  const place = await firstRow(client, 'SELECT left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS timeline')
  return {
    systemId: row.system_id!,
    timeline: Number.parseInt(place.timeline!, 16),
    version,
    versionText: row.version_text!,
    walLevel: row.wal_level!,
    synchronousCommit: row.synchronous_commit!,
    segmentBytes: BigInt(row.segment_bytes!),
    user: row.user!,
  }
}

const INFO_SQL = `
  SELECT (SELECT system_identifier FROM pg_control_system())::text AS system_id, pg_is_in_recovery()::text AS standby,
         current_setting('server_version_num') AS version, current_setting('server_version') AS version_text,
         current_setting('wal_level') AS wal_level, current_setting('synchronous_commit') AS synchronous_commit,
         (SELECT bytes_per_wal_segment::text FROM pg_control_init()) AS segment_bytes, current_user::text AS user`
