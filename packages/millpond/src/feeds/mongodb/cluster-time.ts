/**
 * Time as a cluster counts it, as one number that orders all its operations: seconds in the upper 32 bits, a counter in the
 * lower ones. And positions, which are such a time and the name of the cluster.
 */
import type { Position } from '../../core/feed.ts'
import type { MongoClient, MongoSession, Timestamp } from './client.ts'

export type ClusterTime = bigint

export interface ParsedPosition {
  readonly cluster: string
  readonly time: ClusterTime
}

export function timeOf({ high, low }: Timestamp): ClusterTime {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

/** A timestamp of the same class as `like`, which came from the server: the driver takes only its own. */
export function timestampLike(like: Timestamp, time: ClusterTime): Timestamp {
  return new (like.constructor as new (time: bigint) => Timestamp)(time)
}

/** `cluster/seconds.counter`, for example `rs0/1767225600.3`: fits in a cookie or a header as it is. */
export function formatPosition({ cluster, time }: ParsedPosition): Position {
  return `${encodeURIComponent(cluster)}/${time >> 32n}.${time & 0xffff_ffffn}`
}

/** `undefined` when the text is no position: it comes from outside, so it is not trusted to be one. */
export function parsePosition(text: Position): ParsedPosition | undefined {
  const match = /^([\w.~!*'()%-]{1,300})\/(\d{1,10})\.(\d{1,10})$/.exec(text)
  const [seconds, counter] = [BigInt(match?.[2] ?? 0), BigInt(match?.[3] ?? 0)]
  if (!match || seconds > 0xffff_ffffn || counter > 0xffff_ffffn) return undefined
  try {
    return { cluster: decodeURIComponent(match[1]!), time: (seconds << 32n) | counter }
  } catch {
    return undefined
  }
}

/**
 * The position that includes all that this session has done: take it after a write, or after the commit of a transaction,
 * and hand it to the reader (`atLeast`). `undefined` for a session that has done nothing. Asks the server once for its name.
 */
export async function positionOf(
  client: Pick<MongoClient, 'db'>,
  session: Pick<MongoSession, 'operationTime'>,
): Promise<Position | undefined> {
  const { operationTime } = session
  if (operationTime === undefined) return undefined
  const cluster = clusterOf(await client.db('admin').command({ hello: 1 }))
  return cluster === undefined ? undefined : formatPosition({ cluster, time: timeOf(operationTime) })
}

/** The name of a cluster by its `hello`: that of the replica set; sharded clusters have none. `undefined` for a single server. */
export function clusterOf({ setName, msg }: { setName?: unknown; msg?: unknown }): string | undefined {
  if (typeof setName === 'string') return setName
  return msg === 'isdbgrid' ? 'sharded' : undefined
}

/**
 * The time in a resume token. What tokens consist of is not documented; it has been a timestamp behind `82` since version 4.0. The
 * feed holds each event's token against the event's own time, and stops where they differ.
 */
export function timeOfToken(token: unknown): ClusterTime | undefined {
  const { _data } = (token ?? {}) as { _data?: unknown }
  const match = typeof _data === 'string' ? /^82([0-9A-Fa-f]{16})/.exec(_data) : null
  return match ? BigInt(`0x${match[1]}`) : undefined
}
