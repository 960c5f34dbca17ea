import { expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { Configuration } from '../../commands/configuration/configuration.ts'
import { startServer } from '../../server.ts'
import { throwAt } from '../resp/fuzz.fixture.ts'
import { oddMemcached } from './fuzz.fixture.ts'

const TOTAL_BYTES = 6 * 2 ** 20
const CONNECTION_BYTES = 64 * 1024
const AT_ONCE = 8

test('6 MB of fuzzed bytes, before and after authentication: the server answers on, has no fault of its own, and holds nothing back', {
  timeout: 240_000,
}, async () => {
  const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
  const random = seededRandom(seed)
  const configuration = new Configuration()
  configuration.set([
    ['port', '0'],
    ['maxmemory', '32mb'],
  ])
  const server = await startServer({ configuration, ports: { port: 0, 'memcached-port': 0 }, capacity: 64 * 2 ** 20 })
  const { service } = server
  const faults: unknown[] = []
  service.onFault = (error) => void faults.push(error)
  try {
    for (let sent = 0; sent < TOTAL_BYTES; sent += CONNECTION_BYTES * AT_ONCE) {
      const asks = sent > TOTAL_BYTES * 0.8
      if (asks) service.accessControl.set('default', ['off'])
      const turns = Array.from({ length: AT_ONCE }, () => oddMemcached(random, CONNECTION_BYTES))
      await Promise.all(turns.map((bytes) => throwAt(server.ports['memcached-port'], bytes)))
    }
    expect(faults, `seed ${seed}`).toEqual([])
    expect(service.statistics.total).toBeGreaterThan(10_000)
    for (let turn = 0; turn < 1000 && service.clients.size > 0; turn++)
      await new Promise((done) => setTimeout(done, 10))
    expect(service.clients.size).toBe(0)
    expect([service.depth, service.current]).toEqual([0, undefined])
    expect(service.cache.usedBytes).toBeLessThan(40 * 2 ** 20)
  } finally {
    await server.close()
  }
})
