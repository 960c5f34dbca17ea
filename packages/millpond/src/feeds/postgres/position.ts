import { FeedError } from '../../core/errors.ts'
import type { Position } from '../../core/feed.ts'
import type { Queryable } from './client.ts'
import { beforePageHeader, formatLsn, type Lsn, parseLsn } from './lsn.ts'

/** A place in the history of one PostgreSQL cluster. Promotion of a standby begins a new timeline: another history. */
export interface ParsedPosition {
  readonly systemId: string
  readonly timeline: number
  readonly lsn: Lsn
}

/** `systemId/timeline/lsn`, for example `7391283/1/0/16B3748`: fits in a cookie or a header as it is. */
export function formatPosition(position: ParsedPosition): Position {
  return `${position.systemId}/${position.timeline}/${formatLsn(position.lsn)}`
}

/** `undefined` when the text is no position: it comes from outside, so it is not trusted to be one. */
export function parsePosition(text: Position): ParsedPosition | undefined {
  if (last.text !== text) last = { text, parsed: parse(text) }
  return last.parsed
}

/** Readers who share a question ask about its answer one after the other. */
let last: { readonly text: string; readonly parsed: ParsedPosition | undefined } = { text: '', parsed: undefined }

function parse(text: string): ParsedPosition | undefined {
  const match = /^(\d{1,20})\/(\d{1,10})\/([0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8})$/.exec(text)
  const lsn = match ? parseLsn(match[3]!) : undefined
  return match && lsn !== undefined ? { systemId: match[1]!, timeline: Number(match[2]), lsn } : undefined
}

/**
 * The position that includes what this session has committed: take it after a write's COMMIT, on the connection that
 * wrote, and hand it to the reader (`atLeast`). One query. Where the session commits asynchronously
 * (`synchronous_commit = off`) it is the insert position, as the commit may not be on disk yet.
 *
 * @throws FeedError (`ERR_FEED`) on a standby, which has no position of its own
 */
export async function positionOf(client: Queryable): Promise<Position> {
  const { rows } = await client.query(POSITION_SQL)
  const row = rows[0] as Record<string, string | null> | undefined
  if (row?.lsn == null)
    throw new FeedError('positionOf was given a connection to a standby; take the position on the primary')
  const lsn = parseLsn(row.lsn)!
  const exact = row.mode === 'off' ? beforePageHeader(lsn, BigInt(row.segment_bytes!)) : lsn
  return formatPosition({ systemId: row.system_id!, timeline: Number.parseInt(row.timeline!, 16), lsn: exact })
}

/** The first eight digits of a log file's name are the timeline, which `pg_control_checkpoint` knows only later. */
const POSITION_SQL = `
  SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system_id, p.lsn::text AS lsn, p.mode,
         CASE WHEN p.lsn IS NOT NULL THEN left(pg_walfile_name(p.lsn), 8) END AS timeline,
         (SELECT bytes_per_wal_segment::text FROM pg_control_init()) AS segment_bytes
  FROM (SELECT current_setting('synchronous_commit') AS mode,
               CASE WHEN pg_is_in_recovery() THEN NULL
                    WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn()
                    ELSE pg_current_wal_flush_lsn() END AS lsn) p`
