/** The stale-fill matrix over real servers: Redis or Valkey, a cluster of it, Memcached. */
import type { Store } from 'millpond'
import { memcachedStore } from 'millpond/memcached'
import { valkeyStore } from 'millpond/valkey'
import { afterAll, beforeAll, describe } from 'vitest'
import { startMemcacheds } from '../../tools/servers/memcached.ts'
import { startRedis } from '../../tools/servers/redis.ts'
import { startCluster } from '../../tools/servers/redis-cluster.ts'
import { raceMatrix, tiersWithStore } from './race-matrix.ts'
import { ServedWorld } from './served-world.ts'

interface Place {
  readonly store: Store
  readonly end: () => Promise<unknown>
}

const places: Record<string, () => Promise<Place>> = {
  'one server': async () => {
    const server = await startRedis()
    return { store: valkeyStore(server.url), end: () => server.destroy() }
  },
  'a cluster': async () => {
    const cluster = await startCluster({ replicas: 0 })
    const { port } = cluster.addresses[0]!
    return { store: valkeyStore(`redis+cluster://127.0.0.1:${port}`), end: () => cluster.destroy() }
  },
  Memcached: async () => {
    const servers = await startMemcacheds(2)
    const end = () => Promise.all(servers.map((server) => server.destroy()))
    // A server that is late on a busy machine must not be left alone: the races count loads.
    const store = memcachedStore(
      servers.map(({ address }) => address),
      { timeout: '1m', stallTimeout: '1m' },
    )
    return { store, end }
  },
}

describe.each(Object.keys(places))('%s', (name) => {
  let place: Place
  beforeAll(async () => {
    place = await places[name]!()
    await connected(place.store)
  }, 60_000)
  afterAll(async () => {
    await place.store.close()
    await place.end()
  })
  raceMatrix((options) => new ServedWorld(place.store, options), tiersWithStore)
})

/** Uses every server once, and waits for what a new connection has to tell those who watch. */
async function connected(store: Store): Promise<void> {
  const names = Array.from({ length: 32 }, (_, at) => `first ${at}`)
  await store.invalidate(names, 1000, false)
  await store.read(names, names)
  await new Promise((resolve) => setTimeout(resolve, 100))
}
