import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../../../packages/millpond-server/src/server.ts'
import { type RedisServer, startRedis } from '../../../tools/servers/redis.ts'
import { difference, shortest } from './difference.ts'
import { Random } from './random.ts'
import { RawClient } from './raw-client.ts'

/** `MILLPOND_FUZZ=1000000` runs more; `MILLPOND_SEED` repeats a run. */
const COMMANDS = Number(process.env.MILLPOND_FUZZ ?? 100_000)
const SEED = Number(process.env.MILLPOND_SEED ?? Math.floor(Math.random() * 2 ** 31))
const ROUND = 2000
/** So many commands with another reply are told, each with the shortest way to it that was found. */
const DIFFERENCES_MAX = 20

let redis: RedisServer
let server: RunningServer

beforeAll(async () => {
  redis = await startRedis({ program: 'redis-server' })
  server = await startServer({ ports: { port: 0 } })
})

afterAll(async () => {
  await server?.close()
  await redis?.destroy()
})

test(`${COMMANDS} random commands: the same replies as from redis-server (seed ${SEED})`, {
  timeout: 600_000,
}, async () => {
  const random = new Random(SEED)
  const clients = [new RawClient(server.port), new RawClient(redis.port)] as const
  const found = new Map<string, unknown>()
  for (let done = 0; done < COMMANDS && found.size < DIFFERENCES_MAX; done += ROUND) {
    const protocol = (done / ROUND) % 2 === 0 ? 2 : 3
    const first = await difference(random, ROUND, protocol, ...clients)
    if (first === undefined || found.has(first.command[0]!)) continue
    const { command, ours, theirs, before } = await shortest(first, protocol, ...clients)
    found.set(command[0]!, { protocol, before: before.map((words) => words.join(' ')), command, ours, theirs })
  }
  for (const client of clients) client.close()
  expect([...found.values()]).toEqual([])
})
