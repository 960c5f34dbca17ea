import { afterAll, beforeAll, describe, test } from 'vitest'
import { memcachedStore } from '../../../../millpond/src/stores/memcached/memcached-store.ts'
import { storeContract } from '../../../../millpond/src/testing/contracts-store.ts'
import { type RunningServer, startServer } from '../../server.ts'

let servers: RunningServer[] = []
beforeAll(async () => {
  const capacity = 64 * 2 ** 20
  servers = [
    await startServer({ ports: { port: 0, 'memcached-port': 0 }, capacity }),
    await startServer({ ports: { port: 0, 'memcached-port': 0 }, capacity }),
  ]
})
afterAll(() => Promise.all(servers.map((server) => server.close())))

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe.each([1, 2])('memcachedStore on %d of our servers keeps the contract of Store', (count) => {
  const open = () =>
    memcachedStore(
      servers.slice(0, count).map(({ ports }) => `127.0.0.1:${ports['memcached-port']}`),
      { timeout: '5s' },
    )
  for (const { name, run } of storeContract)
    test.concurrent(name, { timeout: 20_000 }, () => run({ open, pass, stretch: 5 }))
})
