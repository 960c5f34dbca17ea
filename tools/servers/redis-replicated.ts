/** A primary with replicas that follow it, as throw-away servers on loopback. */
import { isRunning } from './child.ts'
import { type RedisOptions, type RedisServer, startRedis } from './redis.ts'
import { until } from './until.ts'

/** Options of `startReplicated`: those of each server, and how many follow. */
export interface ReplicatedOptions extends Omit<RedisOptions, 'port' | 'dir'> {
  /** Default 2. */
  readonly replicas?: number
}

/** A primary and its replicas. */
export interface Replicated extends AsyncDisposable {
  /** The server that was the primary at the start. */
  readonly primary: RedisServer
  readonly replicas: readonly RedisServer[]
  /** Primary and replicas. */
  readonly servers: readonly RedisServer[]
  /** Makes a replica the primary and the others its replicas, as an administrator does. */
  promote(replica: RedisServer): Promise<void>
  /** Waits until every replica has what the primary had at the call. */
  caughtUp(): Promise<void>
  destroy(): Promise<void>
}

/** Settings under which replicas are in step soon: without a disk, the first commands wait for a beat of the replica. */
export const QUICK_REPLICATION: readonly string[] = [
  ...['--repl-diskless-sync', 'no', '--repl-ping-replica-period', '1'],
]

/** Starts a primary and its replicas; resolves once the replicas are in step. */
export async function startReplicated({ replicas = 2, ...options }: ReplicatedOptions = {}): Promise<Replicated> {
  const all = { ...options, args: [...QUICK_REPLICATION, ...(options.args ?? [])] }
  const primary = await startRedis(all)
  const followers = await Promise.all(Array.from({ length: replicas }, () => startRedis(all)))
  const group = groupOf(primary, followers)
  try {
    await Promise.all(followers.map((replica) => replica.command('REPLICAOF', '127.0.0.1', primary.port)))
    await Promise.all(followers.map(inStep))
    return group
  } catch (error) {
    await group.destroy()
    throw error
  }
}

/** Waits until a replica follows its primary. */
export function inStep(replica: RedisServer): Promise<void> {
  return until(
    `port ${replica.port} follows its primary`,
    async () => (await replica.info('master_link_status')) === 'up',
  )
}

function groupOf(first: RedisServer, replicas: readonly RedisServer[]): Replicated {
  const servers = [first, ...replicas]
  let primary = first
  const destroy = async () => void (await Promise.all(servers.map((server) => server.destroy())))
  return {
    primary,
    replicas,
    servers,
    promote: async (replica) => {
      await replica.command('REPLICAOF', 'NO', 'ONE')
      primary = replica
      const others = servers.filter((server) => server !== replica && isRunning(server))
      await Promise.all(others.map((server) => server.command('REPLICAOF', '127.0.0.1', replica.port)))
      await Promise.all(others.map(inStep))
    },
    caughtUp: async () => {
      const offset = Number(await primary.info('master_repl_offset'))
      const others = servers.filter((server) => server !== primary && isRunning(server))
      const has = async (server: RedisServer) => Number(await server.info('slave_repl_offset')) >= offset
      await Promise.all(others.map((server) => until(`port ${server.port} caught up`, () => has(server))))
    },
    destroy,
    [Symbol.asyncDispose]: destroy,
  }
}
