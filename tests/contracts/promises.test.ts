/** What a user may rely on (DESIGN.md section 3): one test each, named after the promise. */
import { type CacheOptions, createCache, type Store } from 'millpond'
import { MemoryStore, manualClock } from 'millpond/testing'
import { describe, expect, test } from 'vitest'
import { gate, World } from './world.ts'

describe('a hit has the same type as a miss', () => {
  const value = () => ({
    date: new Date(0),
    map: new Map([['a', new Set([1n])]]),
    bytes: new Uint8Array([1, 2]),
    list: [undefined, null, Number.NaN, -0],
    pattern: /a/g,
  })
  test.each(['freeze', 'clone', 'serialize', 'reference'] as const)('copy: %s', async (copy) => {
    const world = new World()
    const cache = world.cache({ copy, store: world.store })
    const miss = await cache.getOrSet('key', value)
    const hit = await cache.getOrSet('key', value)
    await world.settle()
    const fromStore = await world.cache({ copy, store: world.store }).get('key')
    for (const got of [miss, hit, fromStore]) expect(got).toEqual(value())
    expect(world.store.calls.filter((call) => call === 'fill')).toHaveLength(1)
  })
})

describe('undefined and null are values', () => {
  test.each([undefined, null, 0, '', false, Number.NaN])('%s', async (value) => {
    const world = new World()
    const cache = world.cache({ store: world.store })
    let loads = 0
    const read = () =>
      cache.getOrSet('key', () => {
        loads++
        return value
      })
    expect([await read(), await read()]).toEqual([value, value])
    expect(loads).toBe(1)
    expect(await cache.has('key')).toBe(true)
    expect((await cache.getEntry('key'))?.value).toEqual(value)
    expect([...(await cache.getMany(['key', 'absent']))]).toEqual([['key', value]])
    await world.settle()
    const other = world.cache({ store: world.store })
    expect(await other.has('key')).toBe(true)
    expect(await other.getOrSet('key', () => 'loaded again')).toEqual(value)
  })
})

describe('what was handed out cannot corrupt the cache', () => {
  type Row = { name: string; tags: string[]; bytes: Uint8Array; when: Date; index: Map<string, number[]> }
  const row = (): Row => ({
    name: 'ada',
    tags: ['a'],
    bytes: new Uint8Array([1]),
    when: new Date(0),
    index: new Map([['x', [1]]]),
  })
  /** Every way to change a row; those that a frozen value refuses are refused. */
  const spoil = (given: Row): void => {
    const changes = [
      () => (given.name = 'changed'),
      () => given.tags.push('changed'),
      () => (given.bytes[0] = 9),
      () => given.when.setTime(9),
      () => given.index.set('changed', []),
      () => given.index.get('x')!.push(9),
      () => given.index.clear(),
    ]
    for (const change of changes) {
      try {
        change()
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    }
  }
  const modes = ['freeze', 'clone', 'serialize'] as const

  test.each(modes)('M1: changing a hit, copy: %s', async (copy) => {
    const cache = new World().cache({ copy })
    await cache.getOrSet('key', row)
    spoil(await cache.getOrSet('key', row))
    spoil((await cache.get<Row>('key'))!)
    spoil(cache.getSync<Row>('key')!)
    spoil(cache.peek<Row>('key')!)
    spoil((await cache.getEntry<Row>('key'))!.value)
    spoil((await cache.getMany<Row>(['key'])).get('key')!)
    expect(await cache.get('key')).toEqual(row())
  })

  test.each(modes)('M2: changing what was passed to set, copy: %s', async (copy) => {
    const cache = new World().cache({ copy })
    const given = row()
    await cache.set('key', given)
    spoil(given)
    expect(await cache.get('key')).toEqual(row())
  })

  test.each(modes)('M3: changing what the first caller got, and what the loader kept, copy: %s', async (copy) => {
    const cache = new World().cache({ copy })
    const loaded = row()
    spoil(await cache.getOrSet('key', () => loaded))
    spoil(loaded)
    expect(await cache.get('key')).toEqual(row())
  })

  test.each(modes)('M4: callers of one load do not see each other’s changes, copy: %s', async (copy) => {
    const cache = new World().cache({ copy })
    const [one, other] = await Promise.all([cache.getOrSet('key', row), cache.getOrSet('key', row)])
    spoil(one)
    expect(other).toEqual(row())
  })

  test.each(modes)('nor does a loader that changes the stale value, or an update, copy: %s', async (copy) => {
    const world = new World()
    const cache = world.cache({ copy, ttl: 10, staleWhileRevalidate: '1h' })
    await cache.getOrSet('key', row)
    await world.clock.advance(20)
    const held = gate()
    void cache.getOrSet<Row>('key', async (ctx) => {
      spoil(ctx.stale!)
      await held.passed
      return row()
    })
    await world.settle()
    expect(await cache.getOrSet('key', row)).toEqual(row())
    held.open()
    await world.settle()
    const failed = cache.update<Row>('key', (current) => {
      spoil(current!)
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await cache.get('key')).toEqual(row())
  })

  test('copy: reference hands out the value itself, as its name says', async () => {
    const cache = new World().cache({ copy: 'reference' })
    const given = row()
    await cache.set('key', given)
    expect(await cache.get('key')).toBe(given)
  })
})

test('a failing load fails once for all its waiters, with the original error', async () => {
  const world = new World()
  const cache = world.cache({ store: world.store })
  const failure = new TypeError('db down')
  const held = gate()
  let calls = 0
  const read = () =>
    cache.getOrSet('key', async () => {
      calls++
      await held.passed
      throw failure
    })
  const waiting = Array.from({ length: 100 }, read)
  await world.settle()
  held.open()
  const results = await Promise.allSettled(waiting)
  expect(calls).toBe(1)
  for (const result of results) expect((result as PromiseRejectedResult).reason).toBe(failure)
  expect(await cache.getOrSet('key', () => 'works again')).toBe('works again')
})

test('nothing turns an error into undefined', async () => {
  const world = new World()
  const cache = world.cache({ staleWhileRevalidate: '1h', staleIfError: '1h' })
  const failure = new Error('db down')
  const fail = (): never => {
    throw failure
  }
  const row = cache.define<number, string>({ name: 'rows', load: fail })
  const wrapped = cache.wrap(fail, { key: 'wrapped' })
  for (const reading of [
    () => cache.getOrSet('key', fail),
    () => cache.getOrSetMany(['a', 'b'], fail),
    () => row.get(1),
    () => row.getMany([1, 2]),
    () => wrapped(),
    () => wrapped.refresh(),
    () => cache.update('key', fail),
    () => cache.mutate({ keys: ['key'] }, fail),
  ]) {
    await expect(reading()).rejects.toBe(failure)
  }
})

describe('a promoted entry never outlives its life in the store', () => {
  test.each([0.1, 0.5, 0.7, 0.99])('promoted at %s of its ttl', async (share) => {
    const world = new World()
    const ttl = 10_000
    await world.cache({ store: world.store, ttl }).getOrSet('key', () => 'value')
    await world.clock.advance(ttl * share)
    const other = world.cache({ store: world.store, ttl })
    expect(await other.get('key')).toBe('value')
    await world.clock.advance(ttl * (1 - share) - 1)
    expect(other.getSync('key')).toBe('value')
    await world.clock.advance(1)
    expect(other.getSync('key')).toBeUndefined()
    expect(await other.get('key')).toBeUndefined()
  })

  test('its stale windows end with those of the store, however slow the answer was', async () => {
    const world = new World()
    const options: CacheOptions = { store: world.store, ttl: 1000, staleIfError: 500 }
    await world.cache(options).getOrSet('key', () => 'value')
    await world.clock.advance(900)
    const other = world.cache({ ...options, staleIfError: '1h' })
    expect(await other.get('key')).toBe('value')
    await world.clock.advance(599)
    const fail = () => Promise.reject(new Error('db down'))
    expect(await other.getOrSet('key', fail)).toBe('value')
    await world.clock.advance(1)
    await expect(other.getOrSet('key', fail)).rejects.toThrow('db down')
  })
})

test('keys are encoded without collisions, never by a short hash', async () => {
  const world = new World()
  const cache = world.cache({ store: world.store })
  const other = world.cache({ store: world.store })
  const spaces = { '': cache, users: cache.namespace('users'), 'users/a': cache.namespace('users').namespace('a') }
  const keys = ['', 'a', 'a:b', ':', '/', 'users:a', 'a:a', '/users:a', '\0', '\0a', '\0users:a', '\0:a', '\0\0', '#', '#a', 'ü', '\ud800'] // biome-ignore format: one line
  const expected: string[] = []
  for (const [path, space] of Object.entries(spaces)) {
    for (const key of keys) {
      await space.set(key, `${path} ${JSON.stringify(key)}`)
      expected.push(`${path} ${JSON.stringify(key)}`)
    }
  }
  const found: unknown[] = []
  const others = [other, other.namespace('users'), other.namespace('users').namespace('a')]
  for (const space of others) for (const key of keys) found.push(await space.get(key))
  expect(found).toEqual(expected)

  const echo = cache.wrap((...args: unknown[]) => JSON.stringify(args), { key: 'echo' })
  const calls = [['BY'], ['Az'], ['a', 'b'], ['a,b'], ['["a"]'], [['a']], [1], ['1'], [null], [undefined], []]
  for (const args of [...calls, ...calls]) expect(await echo(...args)).toBe(JSON.stringify(args))
})

describe('when a store is down, slow or frozen', () => {
  const LOAD_MS = 10
  const TIMEOUT_MS = 50

  /** A store that can be made unusable, with a cache, and a reader that measures on the manual clock. */
  function setup() {
    const clock = manualClock()
    const memory = new MemoryStore(clock)
    const state: { now: 'up' | 'down' | 'slow' | 'frozen' } = { now: 'up' }
    const store = new Proxy(memory, {
      get(target, method: keyof Store) {
        const member = target[method] as unknown
        if (typeof member !== 'function') return member
        return async (...args: unknown[]) => {
          if (state.now === 'down') throw new Error('connection refused')
          if (state.now === 'frozen') await new Promise(() => {})
          if (state.now === 'slow') await new Promise<void>((resolve) => void clock.after(500, resolve))
          return (member as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
    const cache = createCache({ clock, store, storeTimeout: TIMEOUT_MS })
    const load = () => new Promise<string>((resolve) => void clock.after(LOAD_MS, () => resolve('loaded')))
    const answerMs = async (key: string): Promise<number> => {
      const beganMs = clock.monotonic()
      let tookMs: number | undefined
      void cache.getOrSet(key, load).then(() => {
        tookMs = clock.monotonic() - beganMs
      })
      for (let ms = 0; tookMs === undefined && ms < 10_000; ms++) await clock.advance(1)
      return tookMs!
    }
    return { clock, memory, state, cache, answerMs }
  }

  test.each(['down', 'slow', 'frozen'] as const)(
    '%s: an answer comes within the loader’s time plus storeTimeout once, then, with the breaker open, plus 2 ms',
    async (how) => {
      // biome-ignore format: one line
      const { state, answerMs, cache } = setup()
      const states: string[] = []
      cache.on('storeState', ({ state: to }) => states.push(to))
      state.now = how
      expect(await answerMs('first')).toBeLessThanOrEqual(LOAD_MS + TIMEOUT_MS)
      expect(states).toEqual(['open'])
      for (const key of ['second', 'third', 'fourth']) expect(await answerMs(key)).toBeLessThanOrEqual(LOAD_MS + 2)
      expect(await answerMs('first')).toBeLessThanOrEqual(1)
    },
  )

  test.each(['down', 'slow', 'frozen'] as const)(
    '%s: deletes made meanwhile are replayed when it is back, within 2 s',
    async (how) => {
      // biome-ignore format: one line
      const { clock, memory, state, cache } = setup()
      await cache.set('key', 'old', { tags: ['tag'] })
      await cache.set('tagged', 'old', { tags: ['tag'] })
      state.now = how
      for (const gone of [cache.delete('key'), cache.deleteByTag('tag'), cache.set('written', 'new')]) {
        await clock.advance(TIMEOUT_MS)
        await gone
      }
      await clock.advance(60_000) // a long outage: the probes have become rare
      const other = createCache({ clock, store: memory })
      if (how !== 'slow') expect(await other.get('key'), 'the store still has it').toBe('old')
      state.now = 'up'
      await clock.advance(2000)
      const newcomer = createCache({ clock, store: memory })
      expect(await newcomer.getMany(['key', 'tagged', 'written'])).toEqual(new Map())
      await cache.set('key', 'new')
      expect(await newcomer.get('key'), 'and the store is in use again').toBe('new')
    },
  )
})

describe('close() waits for background work and flushes write-behind', () => {
  test('it waits for a renewal and for a fill that are under way', async () => {
    const world = new World()
    const cache = world.cache({ store: world.store, ttl: 100, staleWhileRevalidate: '1h' })
    await cache.getOrSet('key', () => 'old')
    await world.clock.advance(150)
    const held = gate()
    expect(
      await cache.getOrSet('key', async () => {
        await held.passed
        return 'new'
      }),
    ).toBe('old')
    let isClosed = false
    const closing = cache.close().then(() => {
      isClosed = true
    })
    await world.clock.advance(1000)
    expect(isClosed).toBe(false)
    held.open()
    await closing
    expect(await world.cache({ store: world.store }).get('key')).toBe('new')
  })

  test('it flushes write-behind', async () => {
    const { writeBehind } = await import('millpond')
    const world = new World()
    const rows = new Map<number, string>()
    const cache = world.cache()
    const source = cache.define<number, string>({
      name: 'rows',
      load: (id) => rows.get(id),
      write: (id, value) => void rows.set(id, value),
      writeMode: writeBehind({ delay: '1h' }),
    })
    await source.set(1, 'written')
    expect(rows.size).toBe(0)
    await cache.close()
    expect([...rows]).toEqual([[1, 'written']])
  })

  test('it waits no longer than its timeout, aborts what is under way then, and refuses what comes after it', async () => {
    const world = new World()
    const cache = world.cache()
    let signal: AbortSignal | undefined
    const reading = cache.getOrSet('key', (ctx) => {
      signal = ctx.signal
      return new Promise<string>((_, reject) =>
        signal!.addEventListener('abort', () => reject(signal!.reason as Error)),
      )
    })
    const failed = expect(reading).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await world.settle()
    const closing = cache.close({ timeout: '3s' })
    await world.clock.advance(2999)
    expect(signal!.aborted).toBe(false)
    await world.clock.advance(1)
    await closing
    await failed
    expect(signal!.aborted).toBe(true)
    for (const late of [
      () => cache.get('key'),
      () => cache.getOrSet('key', () => 1),
      () => cache.set('key', 1),
      () => cache.delete('key'),
      () => cache.deleteByTag('tag'),
      () => cache.clear(),
      () => cache.mutate({}, () => 1),
      () => cache.namespace('a').update('key', () => 1),
    ]) {
      await expect(late()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    }
    await cache.close()
  })
})
