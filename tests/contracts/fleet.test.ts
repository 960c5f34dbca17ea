/** `lock: 'store'` among real processes on a real server. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProcessFleet } from '../../tools/fleet.ts'
import { type RedisServer, startRedis } from '../../tools/servers/redis.ts'

let server: RedisServer
let fleet: ProcessFleet
beforeAll(async () => {
  server = await startRedis()
  fleet = await ProcessFleet.start({ url: server.url, processes: 4, loadMs: 100, misses: 500 })
}, 60_000)
afterAll(async () => {
  await fleet?.end()
  await server?.destroy()
})

test('of 4 processes with 500 misses each, one loads', async () => {
  for (const key of ['first', 'second', 'third']) {
    const reports = await fleet.read(key)
    expect(reports.reduce((sum, { loads }) => sum + loads, 0)).toBe(1)
    expect(reports.every(({ whole }) => whole)).toBe(true)
  }
}, 30_000)
