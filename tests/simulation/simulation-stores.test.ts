/**
 * The seeded schedules over real servers: every call, answer, message and load is put in order by the seed, and nothing
 * else is drawn until a server has answered. Marks, versions and the servers' own time are not the seed's, so that a seed
 * replays as far as these do not matter. `MILLPOND_SEED=17` and `MILLPOND_SCHEDULES=10000` as in simulation.test.ts.
 */
import type { Store } from 'millpond'
import { memcachedStore } from 'millpond/memcached'
import { valkeyStore } from 'millpond/valkey'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMemcached } from '../../tools/servers/memcached.ts'
import { startRedis } from '../../tools/servers/redis.ts'
import { simulate } from './simulation.ts'

const { MILLPOND_SEED: only, MILLPOND_SCHEDULES: count = '300' } = process.env
const GROUP = 50

interface Place {
  readonly open: () => Store
  readonly end: () => Promise<unknown>
}

const places: Record<string, () => Promise<Place>> = {
  'Redis or Valkey': async () => {
    const server = await startRedis()
    return { open: () => valkeyStore(server.url), end: () => server.destroy() }
  },
  Memcached: async () => {
    const server = await startMemcached()
    return { open: () => memcachedStore(server.address, { stallTimeout: '1m' }), end: () => server.destroy() }
  },
}

describe.each(Object.keys(places))('no read over %s is older than promised', (name) => {
  let place: Place
  let served: readonly Store[] = []
  beforeAll(async () => {
    place = await places[name]!()
    served = [1, 2, 3].map(() => place.open())
    for (const store of served) await store.read(['first'], ['first'])
  }, 60_000)
  afterAll(async () => {
    for (const store of served) await store.close()
    await place.end()
  })

  if (only !== undefined) test(`seed ${only}`, () => simulate(Number(only), { served }))
  else {
    for (let first = 1; first <= Number(count); first += GROUP) {
      const last = Math.min(Number(count), first + GROUP - 1)
      test(`seeds ${first} to ${last}`, { timeout: 300_000 }, async () => {
        for (let seed = first; seed <= last; seed++) await simulate(seed, { served })
      })
    }

    test('and a delete that leaves no tombstone is found', { timeout: 300_000 }, async () => {
      const broken = (store: Store): Store =>
        new Proxy(store, {
          get(target, method: keyof Store) {
            if (method === 'invalidate') return (keys: readonly string[]) => forgotten(target, keys)
            const member = target[method]
            return typeof member === 'function' ? member.bind(target) : member
          },
        })
      let caught: unknown
      for (let seed = 1; seed < 200 && caught === undefined; seed++)
        caught = await simulate(seed, { served, store: broken }).catch((error: unknown) => error)
      expect((caught as Error | undefined)?.message).toMatch(/stale|at rest/)
    })
  }
})

/** A tombstone that is gone when it is acknowledged. */
async function forgotten(store: Store, keys: readonly string[]): Promise<readonly string[]> {
  const marks = await store.invalidate(keys, 1, false)
  await new Promise((resolve) => setTimeout(resolve, 3))
  return marks
}
