/** Every option of an entry, by what it promises. */
import { type CacheOptions, type EntryOptions, type LoadContext, OptionError } from 'millpond'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../packages/millpond/src/core/random.ts'
import { counting, fail, gate, World } from './world.ts'

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
  const client = new AbortController()
  let got: unknown
  let signal: AbortSignal | undefined
  const load = async (ctx: LoadContext<string>): Promise<string> => {
    signal = ctx.signal
    await held.passed
    return 'new'
  }
  const reading = cache.getOrSet('key', load, { signal: client.signal }).then((value) => {
    got = value
  })
  await world.clock.advance(49)
  expect(got).toBeUndefined()
  await world.clock.advance(1)
  await reading
  expect(got).toBe('old')
  client.abort() // as a server does when its response is sent
  await world.settle()
  expect(signal!.aborted).toBe(false)
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
