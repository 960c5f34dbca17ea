import { describe, expect, test } from 'vitest'
import { tinyLfu } from '../memory/index.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryBusHub } from '../testing/memory-bus.ts'
import { MemoryFeed } from '../testing/memory-feed.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { createNearCache, type NearCacheOptions } from './near-cache.ts'

/** A small cache on a clock that is moved by hand, and a loader that counts. */
function setup(options: NearCacheOptions = {}) {
  const clock = manualClock()
  const cache = createNearCache({ clock, ...options })
  const counted = { loads: 0 }
  const load = async () => ++counted.loads
  return { clock, cache, counted, load }
}

describe('the small cache', () => {
  test('loads once for all who ask, and again when the time is over', async () => {
    const { clock, cache, load } = setup({ ttl: 1000 })
    expect(await Promise.all([1, 2, 3].map(() => cache.getOrSet('a', load)))).toEqual([1, 1, 1])
    clock.advanceNow(999)
    expect(await cache.getOrSet('a', load)).toBe(1)
    clock.advanceNow(1)
    expect(await cache.getOrSet('a', load)).toBe(2)
  })

  test('serves stale and renews behind; serves stale when loading fails', async () => {
    const { clock, cache, load } = setup({ ttl: 1000, staleWhileRevalidate: 1000, staleIfError: 5000 })
    await cache.getOrSet('a', load)
    clock.advanceNow(1500)
    expect(await cache.getOrSet('a', load)).toBe(1)
    await clock.advance(0)
    expect(await cache.getOrSet('a', load)).toBe(2)
    clock.advanceNow(3000)
    expect(await cache.getOrSet('a', () => Promise.reject(new Error('down')))).toBe(2)
  })

  test('a load that an invalidation overtook is handed out and not kept', async () => {
    const { cache, load } = setup()
    let finish = (_: number): void => {}
    const slow = cache.getOrSet('a', () => new Promise<number>((resolve) => (finish = resolve)), { tags: ['t'] })
    await cache.deleteByTag('t')
    finish(0)
    expect(await slow).toBe(0)
    expect(await cache.getOrSet('a', load)).toBe(1)
    expect(cache.stats().voidedLoads).toBe(1)
  })

  test('namespaces, mutate, expire and clear reach what they name', async () => {
    const { cache, load } = setup({ staleWhileRevalidate: '1h' })
    const users = cache.namespace('users')
    await cache.set('a', 'root')
    await users.set('a', 'user')
    await users.clear()
    expect([cache.getSync('a'), users.getSync('a')]).toEqual(['root', undefined])
    await cache.mutate({ keys: ['a'] }, () => 'written')
    expect(await cache.has('a')).toBe(false)
    await cache.set('a', 'old')
    await cache.expire('a')
    expect([await cache.get('a'), await cache.getOrSet<unknown>('a', load)]).toEqual([undefined, 'old'])
  })

  test('tells what leaves and why, and forgets the tags of what left', async () => {
    const { clock, cache } = setup({ memory: { maxEntries: 2 } })
    const told: unknown[] = []
    cache.on('remove', (event) => void told.push(event))
    for (const key of ['a', 'b', 'c']) await cache.set(key, key, { ttl: 500, tags: [key] })
    clock.advanceNow(1500)
    expect(told).toEqual([
      { key: 'a', reason: 'evict' },
      { key: 'b', reason: 'expire' },
      { key: 'c', reason: 'expire' },
    ])
    expect(cache.stats()).toMatchObject({ evictions: 1, size: 0 })
  })

  test('is bounded by weight, as the weigher says', async () => {
    const { cache } = setup({ memory: { maxWeight: '1kb', weigher: (_, value) => (value as string).length } })
    for (let id = 0; id < 20; id++) await cache.set(`k${id}`, 'x'.repeat(100))
    expect(cache.stats()).toMatchObject({ size: 10, weight: 1000 })
  })

  test('hears of changes on the bus, and from the database', async () => {
    const clock = manualClock()
    const hub = new MemoryBusHub()
    const feed = new MemoryFeed({ clock, tables: ['trades'] })
    const [one, other] = [0, 1].map(() => createNearCache({ clock, bus: hub.connect(), feed }))
    await one!.set('a', 1)
    await other!.set('a', 2)
    await clock.advance(10)
    expect([one!.getSync('a'), other!.getSync('a')]).toEqual([undefined, 2])
    await one!.getOrSet('list', () => 'rows', { tags: ['trades'] })
    expect(one!.getSync('list')).toBe('rows')
    feed.commit('trades')
    expect(one!.getSync('list')).toBe(undefined)
  })

  test('what was handed out cannot change what is kept', async () => {
    const { cache } = setup()
    await cache.set('bytes', { bytes: new Uint8Array([1]) })
    cache.getSync<{ bytes: Uint8Array }>('bytes')!.bytes[0] = 9
    expect(cache.getSync('bytes')).toEqual({ bytes: new Uint8Array([1]) })
    await cache.set('frozen', { list: [1] })
    expect(() => cache.getSync<{ list: number[] }>('frozen')!.list.push(2)).toThrow(TypeError)
  })

  test('closes with what it waits for, and answers nobody then', async () => {
    const { clock, cache, load } = setup()
    await cache.getOrSet('a', load)
    await cache.close()
    await expect(cache.getOrSet('a', load)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(clock.pending).toBe(0)
  })

  test('refuses what only createCache can do, and says so', () => {
    const refused: [string, object][] = [
      ['store', { store: new MemoryStore(manualClock()) }],
      ['memory.policy', { memory: { policy: tinyLfu } }],
      ['copy', { copy: 'serialize' }],
    ]
    for (const [option, options] of refused) {
      expect(() => createNearCache(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option }))
    }
  })

  test('refuses to keep what depends on tables and rows, and says so', async () => {
    const { cache, load } = setup()
    for (const [option, value] of Object.entries({
      tables: ['trades'],
      rows: [{ table: 'trades', where: { id: 1 } }],
    })) {
      const refusal = { code: 'ERR_OPTION', option, message: expect.stringContaining('createCache') }
      await expect(cache.getOrSet('a', load, { [option]: value })).rejects.toMatchObject(refusal)
    }
  })
})
