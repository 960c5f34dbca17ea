/** Options of a whole cache, its namespaces, and what it tells about itself. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { CacheEvents } from 'millpond'
import { describe, expect, test } from 'vitest'
import { counting, fail, World } from './world.ts'

describe('namespaces', () => {
  test('clear forgets a namespace and those inside it, and nothing else, with one command', async () => {
    const world = new World()
    const make = () => world.cache({ store: world.store, bus: world.hub.connect() })
    const [cache, peer] = [make(), make()]
    const spaces = (of: typeof cache) => [of, of.namespace('a'), of.namespace('a').namespace('b'), of.namespace('b')]
    for (const [at, space] of spaces(cache).entries()) for (let key = 0; key < 50; key++) await space.set(`${key}`, at)
    for (const space of spaces(peer)) expect(await space.get('7')).toBeDefined()
    const before = world.store.calls.length
    await cache.namespace('a').clear()
    expect(world.store.calls.slice(before)).toEqual(['bump 1'])
    await world.settle()
    for (const of of [cache, peer, make()])
      expect(await Promise.all(spaces(of).map((space) => space.get('7')))).toEqual([0, undefined, undefined, 3])
    await cache.clear()
    await world.settle()
    for (const of of [cache, peer, make()])
      expect(await Promise.all(spaces(of).map((space) => space.has('7')))).toEqual([false, false, false, false])
  })
})

describe('events', () => {
  test('tell what happened, to listeners and diagnostics channels, and never a value', async () => {
    const world = new World()
    const cache = world.cache({ store: world.store, memory: { maxEntries: 100 } })
    const told: string[] = []
    const names = ['hit', 'miss', 'load', 'loadError', 'set', 'invalidate', 'clear', 'remove'] as const
    const leave = names.map((name) => cache.on(name, (event) => told.push(`${name} ${JSON.stringify(event)}`)))
    const published: unknown[] = []
    const hear = (message: unknown): void => void published.push(message)
    subscribe('millpond:hit', hear)
    await cache.getOrSet('key', () => 'secret')
    await cache.getOrSet('key', () => 'secret')
    await cache.getOrSet('other', fail).catch(() => {})
    await cache.set('key', 'secret')
    await cache.delete('key')
    await cache.deleteByTag('tag')
    await cache.clear()
    for (const stop of leave) stop()
    await cache.set('key', 'secret')
    unsubscribe('millpond:hit', hear)
    expect(told).toEqual([
      'load {"key":"key","durationMs":0,"background":false,"stored":true}',
      'miss {"key":"key"}',
      'hit {"key":"key","tier":"near","stale":false}',
      'loadError {"key":"other","error":{},"background":false}',
      'set {"key":"key"}',
      'invalidate {"keys":["key"],"origin":"local"}',
      'remove {"key":"key","reason":"delete"}',
      'invalidate {"tags":["tag"],"origin":"local"}',
      'clear {"origin":"local"}',
    ])
    expect(published).toEqual([{ cache: 'shop', key: 'key', tier: 'near', stale: false }])
  })

  test('a listener that throws is reported and harms nobody', async () => {
    const world = new World()
    const reports: unknown[] = []
    const cache = world.cache({ logger: { warn() {}, error: (details) => reports.push(details) } })
    const others: CacheEvents['miss'][] = []
    cache.on('miss', () => fail())
    cache.on('miss', (event) => others.push(event))
    expect(await cache.getOrSet('key', () => 1)).toBe(1)
    expect(reports).toHaveLength(1)
    expect(others).toEqual([{ key: 'key' }])
  })
})

test('the arithmetic of stats', async () => {
  const world = new World()
  const cache = world.cache({ ttl: 100, staleWhileRevalidate: 100, store: world.store })
  const slow = () => new Promise<number>((resolve) => void world.clock.after(5, () => resolve(1)))
  const together = Promise.all([cache.getOrSet('a', slow), cache.getOrSet('a', slow), cache.getOrSet('a', slow)])
  await world.clock.advance(5)
  await together
  await cache.get('a')
  await cache.get('absent')
  await world.clock.advance(120)
  await cache.getOrSet('a', () => 2)
  await world.settle()
  await cache.getOrSet('failing', fail).catch(() => {})
  const other = world.cache({ store: world.store })
  await other.get('a')
  expect(other.stats()).toMatchObject({ hits: 1, storeHits: 1, nearHits: 0, misses: 0, hitRatio: 1 })
  const stats = cache.stats()
  expect(stats).toMatchObject({
    nearHits: 1,
    storeHits: 0,
    hits: 1,
    staleHits: 1,
    misses: 4,
    loads: 3,
    loadErrors: 1,
    loadMsTotal: 5,
    joinedLoads: 2,
    size: 1,
  })
  expect(stats.hitRatio).toBeCloseTo(2 / 6)
})

test('weight: what an entry counts against maxWeight', async () => {
  const cache = new World().cache({ memory: { maxWeight: 100, weigher: () => 10 } })
  for (let at = 0; at < 5; at++) await cache.set(`${at}`, at)
  expect(cache.stats()).toMatchObject({ size: 5, weight: 50 })
  await cache.set('heavy', 1, { weight: 40 })
  expect(cache.stats()).toMatchObject({ size: 6, weight: 90 })
  await cache.set('too heavy', 1, { weight: 101 })
  expect(await cache.has('too heavy')).toBe(false)
})

test('enabled: false keeps nothing and always loads; all methods work', async () => {
  const world = new World()
  const cache = world.cache({ enabled: false, store: world.store, bus: world.hub.connect() })
  const { load } = counting()
  expect(await Promise.all([cache.getOrSet('key', load), cache.getOrSet('key', load)])).toEqual([1, 2])
  await cache.set('key', 5)
  expect([await cache.get('key'), cache.peek('key'), await cache.has('key')]).toEqual([undefined, undefined, false])
  expect(await cache.update<number>('key', (value = 1) => value + 1)).toBe(2)
  expect(await cache.mutate({ keys: ['key'], tags: ['tag'] }, () => 'done')).toBe('done')
  expect([...(await cache.getOrSetMany(['a', 'b'], (keys) => new Map(keys.map((key) => [key, key]))))]).toEqual([
    ['a', 'a'],
    ['b', 'b'],
  ])
  await cache.clear()
  expect(world.store.calls).toEqual([])
  expect(cache.stats().size).toBe(0)
})

test('memory: false with a store reads the store each time', async () => {
  const world = new World()
  const cache = world.cache({ memory: false, store: world.store })
  const { load } = counting()
  await cache.getOrSet('key', load, { tags: ['tag'] })
  await world.settle()
  expect(await cache.getOrSet('key', load, { tags: ['tag'] })).toBe(1)
  expect(cache.stats()).toMatchObject({ storeHits: 1, nearHits: 0, size: 0 })
  expect(cache.peek('key')).toBeUndefined()
  await cache.deleteByTag('tag')
  expect(await cache.get('key')).toBeUndefined()
})

test('waitUntil is given each promise of background work', async () => {
  const world = new World()
  const work: Promise<unknown>[] = []
  const cache = world.cache({ ttl: 100, staleWhileRevalidate: 100, waitUntil: (promise) => void work.push(promise) })
  await cache.getOrSet('key', () => 'old')
  await world.clock.advance(150)
  await cache.getOrSet('key', () => 'new')
  expect(work).toHaveLength(1)
  await Promise.all(work)
  expect(cache.getSync('key')).toBe('new')
  await world.clock.advance(150)
  await cache.getOrSet('key', fail)
  await expect(Promise.all(work), 'work never rejects').resolves.toBeDefined()
})

test('a request reads each key once, and reads agree', async () => {
  const world = new World()
  const cache = world.cache({ memory: false })
  const { load } = counting()
  await cache.request(async () => {
    expect(await Promise.all([cache.getOrSet('key', load), cache.getOrSet('key', load)])).toEqual([1, 1])
    await world.clock.advance(1e9)
    expect(await cache.getOrSet('key', load)).toBe(1)
    await cache.delete('key')
    expect(await cache.getOrSet('key', load)).toBe(2)
  })
  expect(await cache.getOrSet('key', load)).toBe(3)
})

test('a wall clock that jumps changes nothing', async () => {
  const world = new World()
  const cache = world.cache({ ttl: 1000, store: world.store })
  const { load } = counting()
  await cache.getOrSet('key', load)
  for (const jumpMs of [1e12, -2e12]) {
    world.clock.jumpWall(jumpMs)
    expect(await cache.getOrSet('key', load)).toBe(1)
    expect((await cache.getEntry('key'))?.ttlMs).toBe(1000)
  }
  await world.clock.advance(1000)
  expect(await cache.getOrSet('key', load)).toBe(2)
})

test('late tags reach the store without a bus too, from the second load on', async () => {
  const world = new World()
  const cache = world.cache({ store: world.store, ttl: 100 })
  const read = () =>
    cache.getOrSet('key', (ctx) => {
      ctx.set({ tags: ['late'] })
      return 1
    })
  await read()
  await world.clock.advance(100)
  await read()
  await world.settle()
  const other = world.cache({ store: world.store })
  expect(await other.get('key')).toBe(1)
  await other.deleteByTag('late')
  expect(await world.cache({ store: world.store }).get('key')).toBeUndefined()
})

test('many reads of one tick are one command, and versions of tags are asked for once', async () => {
  const world = new World()
  const keys = Array.from({ length: 100 }, (_, at) => `key ${at}`)
  await world.cache({ store: world.store }).setMany(
    keys.map((key) => [key, 1] as const),
    { tags: ['tag'] },
  )
  for (const bus of [{}, { bus: world.hub.connect() }]) {
    const other = world.cache({ store: world.store, ...bus })
    const before = world.store.calls.length
    expect((await other.getMany(keys)).size).toBe(100)
    expect(world.store.calls.slice(before)).toEqual(['read 100 1', 'read 0 1'])
  }
})
