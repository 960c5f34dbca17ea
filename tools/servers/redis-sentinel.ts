/** A primary with replicas and the sentinels that watch them and promote a replica, as throw-away servers on loopback. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { type ChildServer, isRunning, startChild } from './child.ts'
import { type RedisServer, redisPrograms } from './redis.ts'
import { type Replicated, type ReplicatedOptions, startReplicated } from './redis-replicated.ts'
import { ask } from './resp.ts'
import { until } from './until.ts'

/** Options of `startSentinel`: those of the servers, and what the sentinels are told. */
export interface SentinelOptions extends ReplicatedOptions {
  /** How long the primary is silent before a sentinel calls it down. Default 2 s: on a busy machine, one that lives is silent for a while. */
  readonly downAfterMs?: number
}

/** Three sentinels over a primary and its replicas. */
export interface SentinelGroup extends AsyncDisposable {
  /** What the primary is called among the sentinels: `pond`. */
  readonly name: string
  /** Where the sentinels are, as clients want it. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[]
  readonly sentinels: readonly ChildServer[]
  /** The servers; `primary` is the one that was it at the start. */
  readonly redis: Replicated
  /** The server that all sentinels call the primary. Waits for the end of a promotion that is under way. */
  primary(): Promise<RedisServer>
  /** Has a replica promoted, without a vote and with the primary alive. Resolves as `promoted` does. */
  failover(): Promise<RedisServer>
  /**
   * Waits until another server than `before` is the primary in every sentinel's view and its own, and the promotion is over:
   * the sentinel that leads it names the old one to some clients until then. Returns the new one.
   */
  promoted(before: RedisServer): Promise<RedisServer>
  destroy(): Promise<void>
}

const NAME = 'pond'
const COUNT = 3
/** Sentinels that miss the primary at the same moment ask for the same vote, and then wait seconds for the next one. */
const STAGGER_MS = 150

/** Starts servers and sentinels; resolves once all sentinels know each other and every replica, so that a vote succeeds. */
export async function startSentinel({ downAfterMs = 2000, ...options }: SentinelOptions = {}): Promise<SentinelGroup> {
  const redis = await startReplicated(options)
  const starts = Array.from({ length: COUNT }, (_, index) =>
    startOne(redis.primary, options, downAfterMs + index * STAGGER_MS),
  )
  const settled = await Promise.allSettled(starts)
  const sentinels = settled.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const group = groupOf(redis, sentinels)
  try {
    await Promise.all(starts)
    const replicas = redis.replicas.length
    await until('the sentinels know each other', async () => {
      const views = await Promise.all(sentinels.map(({ port }) => viewOf(port)))
      const isWhole = (view: Map<string, string>) =>
        view.get('num-slaves') === `${replicas}` && view.get('num-other-sentinels') === `${COUNT - 1}`
      return views.every(isWhole)
    })
    return group
  } catch (error) {
    await group.destroy()
    throw error
  }
}

function startOne(primary: RedisServer, options: SentinelOptions, downAfterMs: number): Promise<ChildServer> {
  const { password, program = redisPrograms()[0]! } = options
  const settings = (port: number) => [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 2`,
    `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${NAME} 1500`,
    `sentinel parallel-syncs ${NAME} 5`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${NAME} ${password}`]),
  ]
  return startChild({
    name: 'sentinel',
    command: program,
    args: (port, dir) => {
      const file = path.join(dir, 'sentinel.conf')
      writeFileSync(file, `${settings(port).join('\n')}\n`)
      return [file, '--sentinel']
    },
    ready: async (port) => {
      const info = await ask({ port }, 'INFO', 'server').catch(() => '')
      return Number(/^process_id:(\d+)/m.exec(String(info))?.[1]) || undefined
    },
  })
}

function groupOf(redis: Replicated, sentinels: readonly ChildServer[]): SentinelGroup {
  const serverAt = (port: number) => redis.servers.find((server) => server.port === port)
  const alive = () => sentinels.filter(isRunning)
  /** The primary in every sentinel's view and its own, once there is one other than `before` and no promotion goes on. */
  const promoted = async (before?: RedisServer): Promise<RedisServer> => {
    let found: RedisServer | undefined
    await until('a primary that all agree on', async () => {
      const views = await Promise.all(alive().map(({ port }) => viewOf(port)))
      const port = views[0]!.get('port')
      found = serverAt(Number(port))
      const agreed = views.every((view) => view.get('port') === port && view.get('flags') === 'master')
      return agreed && found !== undefined && found !== before && (await found.info('role')) === 'master'
    })
    return found!
  }
  const destroy = async () => {
    await Promise.all(sentinels.map((sentinel) => sentinel.destroy()))
    await redis.destroy()
  }
  const primary = () => promoted()
  return {
    name: NAME,
    addresses: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    sentinels,
    redis,
    primary,
    failover: async () => {
      const before = await primary()
      await ask({ port: alive()[0]!.port }, 'SENTINEL', 'FAILOVER', NAME)
      return await promoted(before)
    },
    promoted,
    destroy,
    [Symbol.asyncDispose]: destroy,
  }
}

/** What a sentinel says about the primary, as fields. */
async function viewOf(sentinel: number): Promise<Map<string, string>> {
  const fields = (await ask({ port: sentinel }, 'SENTINEL', 'MASTER', NAME)) as string[]
  return new Map(fields.flatMap((field, index) => (index % 2 === 0 ? [[field, fields[index + 1]!] as const] : [])))
}
