/** What a `hello` says of the cluster and its primary. */
import { FeedError } from '../../core/errors.ts'
import type { Document, Timestamp } from './client.ts'
import { clusterOf } from './cluster-time.ts'

export interface Server {
  /** The name of the replica set; `sharded` for a sharded cluster, which has none. */
  readonly cluster: string
  readonly isSharded: boolean
  /** Another one after each election of a primary; none where shards elect theirs by themselves. */
  readonly electionId: string | undefined
  readonly maxWireVersion: number
}

/**
 * @throws FeedError (`ERR_FEED`) for a single server, which has no change streams
 * @throws Error for a member that is no primary, now or at all: what it has seen proves nothing
 */
export function serverOf(hello: Document): { readonly server: Server; readonly time: Timestamp } {
  const { operationTime, electionId, maxWireVersion } = hello
  const cluster = clusterOf(hello)
  if (cluster === undefined || operationTime === undefined)
    throw new FeedError(
      'the server is a single one, and only replica sets and sharded clusters have change streams: start it with --replSet, and run rs.initiate()',
    )
  if (hello.isWritablePrimary !== true) throw new Error('the member that was asked is no primary')
  const server = {
    cluster,
    isSharded: hello.msg === 'isdbgrid',
    electionId: (electionId as { toHexString(): string } | undefined)?.toHexString(),
    maxWireVersion: Number(maxWireVersion),
  }
  return { server, time: operationTime as Timestamp }
}
