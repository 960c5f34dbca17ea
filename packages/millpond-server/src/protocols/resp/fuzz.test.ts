import { expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { Configuration } from '../../commands/configuration/configuration.ts'
import { COMMANDS } from '../../commands/table.ts'
import { startServer } from '../../server.ts'
import { oddBytes, throwAt } from './fuzz.fixture.ts'

const TOTAL_BYTES = 20 * 2 ** 20
const CONNECTION_BYTES = 64 * 1024
const AT_ONCE = 8

test('20 MB of fuzzed bytes: the server answers on, has no fault of its own, and holds nothing back', {
  timeout: 240_000,
}, async () => {
  const seed = Number(process.env.FUZZ_SEED ?? 20_261_121)
  const random = seededRandom(seed)
  const configuration = new Configuration()
  configuration.set([
    ['port', '0'],
    ['maxmemory', '32mb'],
  ])
  const server = await startServer({ configuration, ports: { port: 0 }, capacity: 64 * 2 ** 20 })
  const { service } = server
  const faults: unknown[] = []
  service.onFault = (error) => void faults.push(error)
  try {
    for (let sent = 0; sent < TOTAL_BYTES; sent += CONNECTION_BYTES * AT_ONCE) {
      const turns = Array.from({ length: AT_ONCE }, () => oddBytes(COMMANDS, random, CONNECTION_BYTES))
      await Promise.all(turns.map((bytes) => throwAt(server.port, bytes)))
    }
    expect(faults, `seed ${seed}`).toEqual([])
    expect(service.statistics.total).toBeGreaterThan(50_000)
    await until(() => service.clients.size === 0)
    expect(service.waiters.count).toBe(0)
    expect(service.watchedKeys.active).toBe(false)
    expect(service.channels.names('channel')).toEqual([])
    expect(service.tracking.clientCount).toBe(0)
    expect(service.depth).toBe(0)
    expect(service.cache.usedBytes).toBeLessThan(40 * 2 ** 20)
  } finally {
    await server.close()
  }
})

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !condition(); turn++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(condition()).toBe(true)
}
