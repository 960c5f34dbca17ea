import { afterAll, beforeAll, describe, test } from 'vitest'
import { type MemcachedServer, startMemcacheds } from '../../../../../tools/servers/memcached.ts'
import { storeContract } from '../../testing/contracts-store.ts'
import { memcachedStore } from './memcached-store.ts'

let servers: MemcachedServer[] = []
beforeAll(async () => {
  servers = await startMemcacheds(3)
})
afterAll(() => Promise.all(servers.map((server) => server.destroy())))

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe.each([1, 3])('memcachedStore on %d of Memcached keeps the contract of Store', (count) => {
  // A machine that is busy with other tests may take longer than the 20 ms that are the default.
  const open = () =>
    memcachedStore(
      servers.slice(0, count).map(({ address }) => address),
      { timeout: '5s' },
    )
  for (const { name, run } of storeContract)
    test.concurrent(name, { timeout: 20_000 }, () => run({ open, pass, stretch: 5 }))
})
