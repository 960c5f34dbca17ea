/** Every option of a cache and of an entry, by what it promises. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type CacheEvents, type CacheOptions, type EntryOptions, OptionError, type Position } from 'millpond'
import { MemoryFeed } from 'millpond/testing'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../packages/millpond/src/core/random.ts'
import { gate, World } from './world.ts'

const fail = (): never => {
  throw new Error('db down')
}

/** Counts loads; each gives its number. */
function counting(): { load: () => number; readonly loads: number } {
  let loads = 0
  return {
    load: () => ++loads,
    get loads() {
      return loads
    },
  }
}

describe('ttl', () => {
  test.each<[EntryOptions<number>['ttl'] & {}, number]>([
    [1500, 1500],
    ['2s', 2000],
    ['1.5m', 90_000],
    [() => '3s', 3000],
    [(value) => value * 100, 100],
  ])('%s', async (ttl, ms) => {
    const world = new World()
    const cache = world.cache()
    const { load } = counting()
    await cache.getOrSet('key', load, { ttl })
    await world.clock.advance(ms - 1)
    expect(await cache.getOrSet('key', load, { ttl })).toBe(1)
    await world.clock.advance(1)
    expect(await cache.getOrSet('key', load, { ttl })).toBe(2)
  })

  test("'forever' ends only by invalidation", async () => {
    const world = new World()
    const cache = world.cache({ ttl: 'forever', store: world.store, staleWhileRevalidate: '1h', jitter: 0.5 })
    const { load } = counting()
    await cache.getOrSet('key', load)
    await world.clock.advance(1e12)
    expect(await cache.getOrSet('key', load)).toBe(1)
    expect((await cache.getEntry('key'))?.ttlMs).toBe(Number.POSITIVE_INFINITY)
    expect(await world.cache({ store: world.store }).get('key')).toBe(1)
    await cache.delete('key')
    expect(await cache.getOrSet('key', load)).toBe(2)
  })

  test('what cannot be used is refused by name, and nothing is kept', async () => {
    const world = new World()
    const wrong: [string, CacheOptions][] = [
      ['ttl', { ttl: 0 }],
      ['ttl', { ttl: '5 mins' as never }],
      ['ttl', { ttl: -1 }],
      ['ttl', { ttl: Number.NaN }],
      ['idle', { idle: 0 }],
      ['negativeTtl', { negativeTtl: 0 }],
      ['hardTimeout', { hardTimeout: 0 }],
      ['jitter', { jitter: 2 }],
      ['refreshAhead', { refreshAhead: -0.1 }],
      ['earlyExpiration', { earlyExpiration: Number.NaN }],
      ['tags', { tags: [''] }],
      ['tags', { tags: ['\0'] }],
      ['weight', { weight: -1 }],
      ['name', { name: 'a:b' }],
      ['copy', { copy: 'deep' as never }],
      ['storeTimeout', { storeTimeout: 'soon' as never }],
      ['fence', { fence: -1 }],
    ]
    for (const [option, options] of wrong) {
      expect(() => world.cache(options), option).toThrow(OptionError)
      expect(() => world.cache(options)).toThrow(expect.objectContaining({ option, code: 'ERR_OPTION' }))
    }
    const cache = world.cache()
    await expect(cache.getOrSet('key', () => 1, { ttl: 0 })).rejects.toThrow(/ttl/)
    await expect(cache.set('key', 1, { ttl: () => 0 })).rejects.toThrow(/ttl/)
    await expect(cache.getOrSet('key', () => 1, { ttl: () => -5 })).rejects.toThrow(/ttl/)
    expect(await cache.has('key')).toBe(false)
    expect(() => cache.namespace('a/b')).toThrow(OptionError)
    await expect(cache.get(17 as never)).rejects.toMatchObject({ code: 'ERR_KEY' })
    await expect(cache.set('key', Promise.resolve(1))).rejects.toMatchObject({ code: 'ERR_VALUE' })
  })
})

test('idle ends what is not read; ttl is the cap', async () => {
  const world = new World()
  const cache = world.cache({ ttl: 1000, idle: 100 })
  await cache.set('read', 1)
  await cache.set('left', 1)
  for (let ms = 0; ms < 990; ms += 90) {
    expect(await cache.get('read')).toBe(1)
    await world.clock.advance(90)
  }
  expect(cache.peek('left')).toBeUndefined()
  expect(await cache.get('read')).toBe(1)
  await world.clock.advance(10)
  expect(await cache.get('read')).toBeUndefined()
})

test('peek is no use in the eyes of idle, and is not counted', async () => {
  const world = new World()
  const cache = world.cache({ idle: 100 })
  await cache.set('key', 1)
  await world.clock.advance(60)
  expect(cache.peek('key')).toBe(1)
  await world.clock.advance(60)
  expect(cache.peek('key')).toBeUndefined()
  expect(cache.stats()).toMatchObject({ hits: 0, misses: 0 })
})

test('jitter shortens each ttl by a random share of up to it', async () => {
  const world = new World()
  const cache = world.cache({ ttl: 1000, jitter: 0.3, random: seededRandom(1) })
  const lives: number[] = []
  for (let at = 0; at < 1000; at++) {
    await cache.set(`key ${at}`, at)
    lives.push((await cache.getEntry(`key ${at}`))!.ttlMs)
  }
  expect(Math.min(...lives)).toBeGreaterThanOrEqual(700)
  expect(Math.max(...lives)).toBeLessThanOrEqual(1000)
  const mean = lives.reduce((sum, life) => sum + life, 0) / lives.length
  expect(mean).toBeGreaterThan(840)
  expect(mean).toBeLessThan(860)
})

describe('staleWhileRevalidate', () => {
  test('serves the old value while one load in the background renews it, and ends in time', async () => {
    const world = new World()
    const cache = world.cache({ ttl: 100, staleWhileRevalidate: 200 })
    const { load } = counting()
    await cache.getOrSet('key', load)
    await world.clock.advance(150)
    const reads = await Promise.all(Array.from({ length: 10 }, () => cache.getOrSet('key', load)))
    expect(reads).toEqual(Array.from({ length: 10 }, () => 1))
    await world.settle()
    expect(await cache.getOrSet('key', load)).toBe(2)
    expect(cache.stats()).toMatchObject({ staleHits: 10, loads: 2 })
    await world.clock.advance(300)
    expect(await cache.getOrSet('key', load), 'past its window it is loaded').toBe(3)
  })

  test('a renewal that fails is tried again after a pause, and nobody sees the error', async () => {
    const world = new World()
    const errors: unknown[] = []
    const cache = world.cache({ ttl: 100, staleWhileRevalidate: '1h' })
    cache.on('loadError', ({ error, background }) => errors.push([(error as Error).message, background]))
    await cache.getOrSet('key', () => 'old')
    await world.clock.advance(150)
    for (let at = 0; at < 5; at++) {
      expect(await cache.getOrSet('key', fail)).toBe('old')
      await world.settle()
    }
    expect(errors).toEqual([['db down', true]])
    await world.clock.advance(1000)
    await cache.getOrSet('key', fail)
    await world.settle()
    expect(errors).toHaveLength(2)
  })

  test('a stale value of the store is served and renewed too', async () => {
    const world = new World()
    const options: CacheOptions = { ttl: 100, staleWhileRevalidate: '1h', store: world.store }
    await world.cache(options).getOrSet('key', () => 'old')
    await world.clock.advance(150)
    const other = world.cache(options)
    expect(await other.getOrSet('key', () => 'new')).toBe('old')
    await world.settle()
    expect(await other.getOrSet('key', () => 'newer')).toBe('new')
  })
})

describe('staleIfError', () => {
  test('serves the old value when loading fails, with a pause before the next try, and ends in time', async () => {
    const world = new World()
    const cache = world.cache({ ttl: 100, staleIfError: 5000 })
    let calls = 0
    const failing = (): never => {
      calls++
      return fail()
    }
    await cache.getOrSet('key', () => 'old')
    await world.clock.advance(150)
    for (let at = 0; at < 5; at++) expect(await cache.getOrSet('key', failing)).toBe('old')
    expect(calls).toBe(1)
    await world.clock.advance(1000)
    expect(await cache.getOrSet('key', () => 'new')).toBe('new')
    await world.clock.advance(5101)
    await expect(cache.getOrSet('key', fail)).rejects.toThrow('db down')
  })

  test('works from the store', async () => {
    const world = new World()
    const options: CacheOptions = { ttl: 100, staleIfError: '1h', store: world.store }
    await world.cache(options).getOrSet('key', () => 'old')
    await world.clock.advance(150)
    expect(await world.cache(options).getOrSet('key', fail)).toBe('old')
    expect(await world.cache(options).getOrSet('key', () => 'new')).toBe('new')
  })
})

test('refreshAhead renews in the background once that share of ttl has passed and someone reads', async () => {
  const world = new World()
  const cache = world.cache({ ttl: 1000, refreshAhead: 0.8 })
  const { load } = counting()
  await cache.getOrSet('key', load)
  await world.clock.advance(799)
  await cache.getOrSet('key', load)
  await world.settle()
  expect(await cache.getOrSet('key', load)).toBe(1)
  await world.clock.advance(1)
  expect(await cache.getOrSet('key', load)).toBe(1)
  await world.settle()
  expect(await cache.getOrSet('key', load)).toBe(2)
  expect(cache.stats()).toMatchObject({ staleHits: 0, loads: 2, misses: 1 })
})

test('earlyExpiration renews at random, the nearer to the end and the slower the load the likelier (XFetch)', async () => {
  /** Share of entries that a read after `atMs` of 1000 renews, when a load takes `loadMs`. */
  async function share(atMs: number, loadMs: number, beta: number): Promise<number> {
    const world = new World()
    const cache = world.cache({
      ttl: 1000,
      earlyExpiration: beta,
      random: seededRandom(7),
      memory: { maxEntries: 5000 },
    })
    const slow = () => new Promise<number>((resolve) => void world.clock.after(loadMs, () => resolve(1)))
    const keys = Array.from({ length: 2000 }, (_, at) => `key ${at}`)
    const loading = Promise.all(keys.map((key) => cache.getOrSet(key, slow)))
    await world.clock.advance(loadMs)
    await loading
    await world.clock.advance(atMs)
    const before = cache.stats().loads
    await Promise.all(keys.map((key) => cache.getOrSet(key, slow)))
    return (cache.stats().loads - before) / keys.length
  }
  // The paper: a read renews with probability exp(-(time left) / (beta * load time)).
  for (const [atMs, loadMs, beta] of [
    [900, 100, 1],
    [800, 100, 1],
    [900, 200, 1],
    [900, 100, 2],
  ] as const) {
    expect(await share(atMs, loadMs, beta)).toBeCloseTo(Math.exp(-(1000 - atMs) / (beta * loadMs)), 1)
  }
  expect(await share(100, 10, 1)).toBe(0)
})

test('softTimeout: who has a stale value waits no longer, and the load goes on', async () => {
  const world = new World()
  const cache = world.cache({ ttl: 100, staleIfError: '1h', softTimeout: 50 })
  await cache.getOrSet('key', () => 'old')
  await world.clock.advance(150)
  const held = gate()
  let got: unknown
  const reading = cache
    .getOrSet('key', async () => {
      await held.passed
      return 'new'
    })
    .then((value) => {
      got = value
    })
  await world.clock.advance(49)
  expect(got).toBeUndefined()
  await world.clock.advance(1)
  await reading
  expect(got).toBe('old')
  held.open()
  await world.settle()
  expect(cache.getSync('key')).toBe('new')
})

test('hardTimeout: the load fails, and its signal is aborted', async () => {
  const world = new World()
  const cache = world.cache({ hardTimeout: 50 })
  let signal: AbortSignal | undefined
  const reading = cache.getOrSet('key', (ctx) => {
    signal = ctx.signal
    return new Promise(() => {})
  })
  const failed = expect(reading).rejects.toMatchObject({ code: 'ERR_LOAD_TIMEOUT', key: 'key' })
  await world.clock.advance(50)
  await failed
  expect(signal!.aborted).toBe(true)
  expect(signal!.reason).toMatchObject({ code: 'ERR_LOAD_TIMEOUT' })
  expect(await cache.getOrSet('key', () => 'later')).toBe('later')
})

test('negativeTtl is the ttl of undefined and null', async () => {
  const world = new World()
  const cache = world.cache({ ttl: 1000, negativeTtl: 100 })
  for (const [key, value, ms] of [
    ['u', undefined, 100],
    ['n', null, 100],
    ['f', false, 1000],
  ] as const) {
    // biome-ignore format: one line
    await cache.set(key, value)
    expect((await cache.getEntry(key))?.ttlMs).toBe(ms)
  }
})

describe('signal', () => {
  test('ends the wait of one caller; the last one to leave aborts the load', async () => {
    const world = new World()
    const cache = world.cache()
    const [one, other] = [new AbortController(), new AbortController()]
    let signal: AbortSignal | undefined
    const load = (ctx: { signal: AbortSignal }): Promise<string> => {
      signal = ctx.signal
      return new Promise(() => {})
    }
    const first = cache.getOrSet('key', load, { signal: one.signal })
    const second = cache.getOrSet('key', load, { signal: other.signal })
    const reason = new Error('the client left')
    const firstFailed = expect(first).rejects.toBe(reason)
    const secondFailed = expect(second).rejects.toBe(reason)
    await world.settle()
    one.abort(reason)
    await firstFailed
    expect(signal!.aborted).toBe(false)
    other.abort(reason)
    await secondFailed
    expect(signal!.aborted).toBe(true)
    expect(await cache.getOrSet('key', () => 'new load')).toBe('new load')
    await expect(cache.getOrSet('other', () => 1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('does not end a load that others wait for, nor a renewal in the background', async () => {
    const world = new World()
    const cache = world.cache({ ttl: 100, staleWhileRevalidate: 100 })
    await cache.getOrSet('key', () => 'old')
    await world.clock.advance(150)
    const held = gate()
    let signal: AbortSignal | undefined
    await cache.getOrSet('key', async (ctx) => {
      signal = ctx.signal
      await held.passed
      return 'new'
    })
    await world.clock.advance(100) // the stale window is over: readers wait for the renewal now
    const leaving = new AbortController()
    const reading = expect(cache.getOrSet('key', () => 'own', { signal: leaving.signal })).rejects.toThrow()
    await world.settle()
    leaving.abort()
    await reading
    expect(signal!.aborted).toBe(false)
    held.open()
    await world.settle()
    expect(cache.getSync('key')).toBe('new')
  })
})

describe('what a loader may say', () => {
  test('options of the entry, from the value: they replace those of the call, tags are added', async () => {
    const world = new World()
    const cache = world.cache({ ttl: 1000 })
    await cache.getOrSet(
      'key',
      (ctx) => {
        ctx.set({ ttl: 50, tags: ['late'] })
        return 1
      },
      { ttl: 500, tags: ['early'] },
    )
    expect(await cache.getEntry('key')).toMatchObject({ ttlMs: 50, tags: ['early', 'late'], state: 'fresh' })
    await cache.deleteByTag('late')
    expect(await cache.has('key')).toBe(false)
  })

  test('skip hands the value to the callers and keeps nothing', async () => {
    const cache = new World().cache()
    const { load } = counting()
    expect(await cache.getOrSet('key', (ctx) => ctx.skip(load()))).toBe(1)
    expect(await cache.getOrSet('key', (ctx) => ctx.skip(load()))).toBe(2)
    expect(cache.stats()).toMatchObject({ size: 0, voidedLoads: 0 })
  })

  test('notModified keeps the stale value, its etag and its late tags, with a new life', async () => {
    for (const shared of [false, true]) {
      const world = new World()
      const options: CacheOptions = { ttl: 100, staleIfError: '1h', ...(shared ? { store: world.store } : {}) }
      const first = world.cache(options)
      for (let again = 0; again < 2; again++) {
        await first.getOrSet('key', (ctx) => {
          ctx.etag('W/"1"')
          ctx.set({ tags: ['late'] })
          return { row: 1 }
        })
        if (again === 0) await first.delete('key') // the second time the version of the tag is known
        await world.clock.advance(1)
      }
      await world.clock.advance(150)
      const cache = shared ? world.cache(options) : first
      const renewed = await cache.getOrSet<{ row: number }>('key', (ctx) => {
        expect(ctx.etag()).toBe('W/"1"')
        expect(ctx.stale).toEqual({ row: 1 })
        return ctx.notModified()
      })
      expect(renewed).toEqual({ row: 1 })
      expect(await cache.getEntry('key')).toMatchObject({ state: 'fresh', ttlMs: 100, etag: 'W/"1"', tags: ['late'] })
      await cache.deleteByTag('late')
      expect(await cache.has('key')).toBe(false)
      await expect(cache.getOrSet('key', (ctx) => ctx.notModified())).rejects.toMatchObject({ code: 'ERR_VALUE' })
    }
  })
})

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
    expect(world.store.calls.slice(before)).toEqual(['getMany 100', 'versions 1', 'versions 1'])
  }
})

describe('feed', () => {
  function setup(options: CacheOptions = {}) {
    const world = new World()
    const feed = new MemoryFeed({ clock: world.clock, tables: ['trades'] })
    const cache = world.cache({ feed, ttl: '1h', ...options })
    const { database } = world
    const read = (more: EntryOptions<number> & { atLeast?: Position } = {}) =>
      cache.getOrSet('trade', database.load('trade'), { tags: ['trades:1'], ...more })
    return { world, feed, cache, database, read }
  }

  test('a commit by anyone voids what carries its tag', async () => {
    const { feed, database, read } = setup()
    await read()
    database.write('trade')
    feed.commit('trades', 'trades:1')
    feed.settle()
    expect(await read()).toBe(2)
    feed.commit('trades', 'trades:2')
    feed.settle()
    await read()
    expect(database.loads, 'another row').toBe(2)
  })

  test('between announcement and visibility nothing is kept', async () => {
    const { world, feed, database, read } = setup()
    await read()
    feed.commit('trades', 'trades:1') // announced, not visible yet
    const early = read()
    await world.clock.advance(5)
    expect(await early).toBe(1)
    database.write('trade') // visible
    feed.settle()
    expect(await read()).toBe(2)
    const { loads } = database
    await read()
    expect(database.loads).toBe(loads)
  })

  test('a load waits a moment for visibility, and is kept then', async () => {
    const { world, feed, database, read } = setup()
    feed.commit('trades', 'trades:1')
    const reading = read()
    await world.clock.advance(2)
    database.write('trade')
    feed.settle()
    expect(await reading).toBe(2)
    await read()
    expect(database.loads).toBe(1)
  })

  test('late tags: a commit that is announced, or settled, during the load voids it', async () => {
    for (const settleLater of [false, true]) {
      const { world, feed, cache, database } = setup()
      const held = database.holdNext()
      const early = cache.getOrSet('trade', database.load('trade', ['trades:1']))
      await world.settle()
      feed.commit('trades', 'trades:1')
      database.write('trade')
      if (!settleLater) feed.settle()
      held.open()
      expect(await early).toBe(1)
      feed.settle()
      expect(await cache.getOrSet('trade', database.load('trade', ['trades:1']))).toBe(2)
    }
  })

  test('a bulk tag voids every row of the table, and no other', async () => {
    const { feed, cache, database, read } = setup()
    await read()
    await cache.set('plain', 1, { tags: ['users:1'] })
    database.write('trade')
    feed.commit('trades:*')
    feed.settle()
    expect(await read()).toBe(2)
    expect(await cache.get('plain')).toBe(1)
  })

  test('bounded: a feed that stalls is believed for maxStaleness, then its entries are bypassed', async () => {
    const { world, feed, cache, database, read } = setup()
    await read()
    feed.stall()
    await world.clock.advance(250)
    await read()
    expect(database.loads).toBe(1)
    await world.clock.advance(1)
    database.write('trade')
    expect(await read()).toBe(2)
    expect(cache.stats().bypasses).toBeGreaterThan(0)
    await world.clock.advance(251)
    database.write('trade')
    expect(await read(), 'each load is believed as long as its own age allows').toBe(3)
    feed.resume()
    await world.clock.advance(10_000)
    await read()
    expect(database.loads).toBe(3)
  })

  test('broken: nothing of its source counts until it is whole, then it is cached again', async () => {
    const { world, feed, cache, database, read } = setup()
    const resets: string[] = []
    cache.on('feedReset', ({ reason }) => resets.push(reason))
    await read()
    await cache.set('plain', 1)
    feed.break('connection lost')
    expect(resets).toEqual(['connection lost'])
    database.write('trade')
    expect(await read()).toBe(2)
    database.write('trade')
    expect(await read()).toBe(3)
    expect(await cache.get('plain'), 'what the feed does not cover stays').toBe(1)
    feed.resume()
    await read()
    const { loads } = database
    await world.clock.advance(10_000)
    await read()
    expect(database.loads).toBe(loads)
  })

  test('atLeast: who carries the position of a write reads that write', async () => {
    const { world, feed, cache, database, read } = setup()
    await read()
    database.write('trade') // committed and visible; the feed has not told of it yet
    const position = '1'
    expect(await read(), 'a reader without a position may see the old row for a moment').toBe(1)
    expect(await cache.get('trade', { atLeast: position })).toBeUndefined()
    expect(cache.getSync('trade', { atLeast: position })).toBeUndefined()
    const held = database.holdNext()
    const early = cache.getOrSet('late', database.load('trade'), { tags: ['trades:1'] })
    await world.settle()
    database.write('trade')
    const after = cache.getOrSet('late', database.load('trade'), { tags: ['trades:1'], atLeast: position })
    await world.settle()
    held.open()
    expect(await early, 'began before the write').toBe(2)
    expect(await after, 'does not join a load that began before').toBe(3)
    expect(await read({ atLeast: position })).toBe(3)
    expect(feed.commit('trades', 'trades:1')).toBe(position)
    feed.settle()
    await read({ atLeast: position })
    const { loads } = database
    expect(await read({ atLeast: position }), 'once the feed is that far, hits are hits').toBe(3)
    expect(database.loads).toBe(loads)
    expect(await cache.get('trade', { atLeast: position })).toBe(3)
  })

  test('atLeast: what the feed does not cover is loaded, from the database and not from a store', async () => {
    const world = new World()
    const feed = new MemoryFeed({ clock: world.clock, tables: ['trades'] })
    const cache = world.cache({ feed, store: world.store })
    const { load } = counting()
    await cache.getOrSet('key', load)
    await world.settle()
    expect(await cache.getOrSet('key', load, { atLeast: '0' })).toBe(2)
  })

  test('many readers with one position share one load', async () => {
    const { world, database, read } = setup()
    database.write('trade')
    const held = database.holdNext()
    const reads = Array.from({ length: 50 }, () => read({ atLeast: '7' }))
    await world.settle()
    held.open()
    expect(new Set(await Promise.all(reads))).toEqual(new Set([2]))
    expect(database.loads).toBe(1)
  })

  test('in a request, atLeast is not answered by the memo', async () => {
    const { cache, database, read } = setup()
    await cache.request(async () => {
      await read()
      database.write('trade')
      expect(await read({ atLeast: '1' })).toBe(2)
      expect(await read(), 'nor does a later read fall back behind it').toBe(2)
    })
  })

  test('what a process without a feed put into the store is not taken for proven', async () => {
    const { world, feed, database } = setup()
    await world.cache({ store: world.store }).getOrSet('trade', database.load('trade'), { tags: ['trades:1'] })
    database.write('trade')
    const fed = world.cache({ store: world.store, feed })
    expect(await fed.getOrSet('trade', database.load('trade'))).toBe(2)
  })

  test('what the feed covers stays out of the store', async () => {
    const { world, read } = setup({ store: new World().store })
    await read()
    await world.settle()
    const shared = setup()
    const cache = shared.world.cache({ feed: shared.feed, store: shared.world.store })
    await cache.getOrSet('trade', shared.database.load('trade', ['trades:1']))
    await shared.world.settle()
    expect(shared.world.store.calls).not.toContain('fill')
  })
})
