/** What a cache keeps in mind while it works does not grow with the work done. */
import type { Cache, LoadContext } from 'millpond'
import { MemoryFeed } from 'millpond/testing'
import { expect, test } from 'vitest'
import { NearTier } from '../../packages/millpond/src/cache/near-tier.ts'
import { seededRandom } from '../../packages/millpond/src/core/random.ts'
import { StoreGates, World } from './world.ts'

/** The near tier of a cache, which its stack holds. */
function nearOf(cache: Cache): NearTier {
  const { near } = (cache as unknown as { stack: { near: NearTier } }).stack
  expect(near).toBeInstanceOf(NearTier)
  return near
}

test('tags, loads and timers return to zero after 100,000 varied operations', { timeout: 60_000 }, async () => {
  const seed = 4711
  const random = seededRandom(seed)
  const below = (count: number): number => Math.floor(random() * count)
  const world = new World()
  const feed = new MemoryFeed({ clock: world.clock, tables: ['trades'] })
  const gates = new StoreGates()
  const cache = world.cache({
    store: gates.wrap(world.store),
    bus: world.hub.connect(),
    feed,
    ttl: 1000,
    staleWhileRevalidate: 500,
    hardTimeout: 5000,
    softTimeout: 1000,
    idle: 2000,
    memory: { maxEntries: 200 },
    random,
  })
  const space = cache.namespace('space')
  const source = cache.define<number, number>({ name: 'rows', load: (id) => id, write: () => {} })
  const fail = (): never => {
    throw new Error('db down')
  }
  const late = (ctx: LoadContext<number>): number => {
    ctx.set({ tags: [`late ${below(500)}`] })
    return 1
  }
  const commit = (): void => {
    feed.commit(`trades:${below(100)}`)
    feed.settle()
  }
  const operations: (() => unknown)[] = [
    () => cache.getOrSet(`key ${below(1000)}`, () => 1, { tags: [`tag ${below(500)}`] }),
    () => cache.getOrSet(`key ${below(1000)}`, late),
    () => cache.getOrSet(`trade ${below(100)}`, () => 1, { tags: [`trades:${below(100)}`] }),
    () => cache.getOrSet(`failing ${below(100)}`, fail, { tags: ['failing'] }),
    () => cache.getOrSet(`skipped ${below(100)}`, (ctx) => ctx.skip(1)),
    () => cache.getOrSet(`aborted ${below(100)}`, () => 1, { signal: AbortSignal.abort(new Error('left')) }),
    () => cache.getOrSet(`badly ${below(100)}`, () => 1, { ttl: () => 0 }),
    () => cache.set(`badly ${below(100)}`, 1, { ttl: () => 0 }),
    () => cache.set(`trade ${below(100)}`, 1, { tags: ['trades:7'] }),
    () => space.set(`key ${below(1000)}`, below(10), { tags: ['spaced'] }),
    () => space.getOrSet(`key ${below(1000)}`, () => 1),
    () => space.get(`key ${below(1000)}`),
    () => cache.getMany([`key ${below(1000)}`, `key ${below(1000)}`]),
    () => cache.update<number>(`count ${below(100)}`, (count = 0) => count + 1),
    () => cache.update(`count ${below(100)}`, fail),
    () => cache.mutate({ keys: [`key ${below(1000)}`], tags: [`tag ${below(500)}`] }, () => 1),
    () => cache.mutate({ tags: ['failing'] }, fail),
    () => cache.delete(`key ${below(1000)}`),
    () => cache.expire(`key ${below(1000)}`),
    () => cache.deleteByTag(`tag ${below(500)}`),
    () => cache.deleteByTag(`nobody carries ${below(1e6)}`),
    () => cache.expireByTag(`late ${below(500)}`),
    () => source.set(below(100), 1),
    () => source.get(below(100)),
    () => cache.request(() => cache.getOrSet('key', () => 1)),
    commit,
    () => (below(1000) === 0 ? space.clear() : undefined),
    () => (below(1000) === 0 ? cache.clear() : undefined),
  ]
  const OPERATIONS = 100_000
  for (let done = 0; done < OPERATIONS; done += 100) {
    const batch = Array.from({ length: 100 }, async () => operations[below(operations.length)]!())
    let isDone = false
    const all = Promise.allSettled(batch).then(() => {
      isDone = true
    })
    while (!isDone) await world.clock.advance(1)
    await all
    if (done % 1000 === 0) {
      const near = nearOf(cache)
      // An entry holds its own tags, and those of its namespace and feed: no more than four here.
      expect(near.tagCount, `seed ${seed} after ${done}`).toBeLessThanOrEqual(4 * 200 + 10)
    }
  }
  await cache.clear()
  await world.clock.advance(10_000)
  const near = nearOf(cache)
  expect(near.size).toBe(0)
  expect(near.tagCount, 'tags').toBe(0)
  expect(world.clock.pending, 'timers').toBeLessThanOrEqual(1) // the table may keep one for its next expiry
  await cache.close()
  expect(world.clock.pending, 'timers after close').toBe(0)
})

test('invalidations while one load never ends are bounded, and it is not kept', async () => {
  const world = new World()
  const cache = world.cache()
  let finish = (_: number): void => {}
  const slow = cache.getOrSet('slow', async (ctx) => {
    const value = await new Promise<number>((resolve) => {
      finish = resolve
    })
    ctx.set({ tags: ['tag 5'] })
    return value
  })
  await world.settle()
  for (let at = 0; at < 30_000; at++) await cache.deleteByTag(`tag ${at}`)
  expect(nearOf(cache).tagCount).toBeLessThanOrEqual(10_001)
  finish(1)
  expect(await slow).toBe(1)
  expect(await cache.has('slow'), 'nobody remembers whether its tag was invalidated').toBe(false)
  expect(nearOf(cache).tagCount).toBe(0)
})

test('keys that are loaded while other loads are under way leave nothing behind', async () => {
  const world = new World()
  const cache = world.cache({ memory: { maxEntries: 10 } })
  let finish = (_: number): void => {}
  const slow = cache.getOrSet('slow', () => new Promise<number>((resolve) => void (finish = resolve)))
  for (let at = 0; at < 2000; at++) await cache.getOrSet(`key ${at}`, () => at, { tags: [`tag ${at}`] })
  expect(nearOf(cache).tagCount).toBeLessThanOrEqual(11)
  finish(1)
  await slow
})

test('values that cannot be sealed leave no lease behind', async () => {
  const world = new World()
  const cache = world.cache({ copy: 'serialize' })
  const symbol = Symbol('no text')
  for (let at = 0; at < 100; at++) {
    await expect(cache.set(`key ${at}`, symbol, { tags: ['tag'] })).rejects.toMatchObject({ code: 'ERR_VALUE' })
    await expect(cache.getOrSet(`key ${at}`, () => symbol)).rejects.toMatchObject({ code: 'ERR_VALUE' })
    await expect(cache.update(`key ${at}`, () => symbol)).rejects.toMatchObject({ code: 'ERR_VALUE' })
  }
  await cache.deleteByTag('tag')
  expect(nearOf(cache).tagCount).toBe(0)
})
