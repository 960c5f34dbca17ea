import { expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { throwAt } from '../resp/fuzz.fixture.ts'
import { oddRequests } from './fuzz.fixture.ts'
import { startClosed, startHttp } from './http.fixture.ts'

const CONNECTION_BYTES = 8 * 1024
const AT_ONCE = 8

async function throwMany(port: number, totalBytes: number, random: () => number): Promise<void> {
  for (let sent = 0; sent < totalBytes; sent += CONNECTION_BYTES * AT_ONCE) {
    const turns = Array.from({ length: AT_ONCE }, () => oddRequests(random, CONNECTION_BYTES))
    await Promise.all(turns.map((bytes) => throwAt(port, bytes)))
  }
}

test('4 MB of odd requests: the server answers on, has no fault of its own, and holds nothing back', {
  timeout: 240_000,
}, async () => {
  const seed = Number(process.env.FUZZ_SEED ?? 20_261_121)
  const { server, port, request } = await startHttp([['maxmemory', '32mb']])
  const { service, host } = server
  const faults: unknown[] = []
  service.onFault = (error) => void faults.push(error)
  await throwMany(port, 4 * 2 ** 20, seededRandom(seed))
  expect(faults, `seed ${seed}`).toEqual([])
  expect(service.statistics.total).toBeGreaterThan(1000)
  await expect.poll(() => host.clientCount, { timeout: 20_000 }).toBe(0)
  expect(service.waiters.count).toBe(0)
  expect(service.watchedKeys.active).toBe(false)
  expect(service.channels.names('channel')).toEqual([])
  expect(service.depth).toBe(0)
  expect((await request('GET /ping')).json).toEqual({ result: 'PONG' })
})

test('1 MB of odd requests by somebody without a token: nothing is done', { timeout: 120_000 }, async () => {
  const seed = Number(process.env.FUZZ_SEED ?? 20_261_122)
  const { server, port } = await startClosed()
  const { service, host } = server
  await throwMany(port, 2 ** 20, seededRandom(seed))
  await expect.poll(() => host.clientCount, { timeout: 20_000 }).toBe(0)
  expect(service.changes.count, `seed ${seed}`).toBe(0)
  expect(service.statistics.total, `seed ${seed}`).toBe(0)
})
