/** One test for each complaint of docs/pains.md, named as that page names it. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type CacheOptions, OptionError, type Store } from 'millpond'
import { faultyStore } from 'millpond/testing'
import { describe, expect, test } from 'vitest'
import { gate, World } from './world.ts'

const fail = (): never => {
  throw new Error('db down')
}

/** A store whose calls all do the same: fail, or never end. */
function unusable(store: Store, call: () => Promise<never>): { store: Store; repair: () => void } {
  let isBroken = true
  const broken = faultyStore(store, () => (isBroken ? call() : undefined))
  const repair = (): void => {
    isBroken = false
  }
  return { store: broken, repair }
}

const pains: Record<string, () => Promise<void>> = {
  'pain 1: a load that was overtaken is stored nowhere': async () => {
    const world = new World()
    const cache = world.cache({ store: world.store })
    const held = world.database.holdNext()
    const early = cache.getOrSet('row', world.database.load('row'))
    await world.settle()
    world.database.write('row')
    await cache.delete('row')
    held.open()
    expect(await early).toBe(1)
    await world.settle()
    expect(cache.peek('row')).toBeUndefined()
    expect(await world.cache({ store: world.store }).get('row')).toBeUndefined()
    expect(cache.stats().voidedLoads).toBe(1)
  },

  'pain 2: a store that never answers costs one storeTimeout, once': async () => {
    const world = new World()
    const { store } = unusable(world.store, () => new Promise(() => {}))
    const cache = world.cache({ store, storeTimeout: 50 })
    const first = cache.getOrSet('a', () => 'loaded')
    await world.clock.advance(50)
    expect(await first).toBe('loaded')
    expect(await cache.getOrSet('b', () => 'loaded')).toBe('loaded')
    await cache.delete('a')
    expect(world.clock.monotonic()).toBe(50)
  },

  'pain 3: a store that fails for an hour is told of, hurts nobody, and is used again': async () => {
    const world = new World()
    const { store, repair } = unusable(world.store, () => Promise.reject(new Error('connection refused')))
    const cache = world.cache({ store, bus: world.hub.connect() })
    const told: string[] = []
    cache.on('storeState', ({ state }) => told.push(state))
    for (let minute = 0; minute < 60; minute++) {
      expect(await cache.getOrSet(`key ${minute}`, () => minute)).toBe(minute)
      await cache.set('set', minute)
      await cache.deleteByTag('tag')
      await world.clock.advance(60_000)
    }
    expect(told).toEqual(['open'])
    expect(cache.stats().storeErrors).toBeGreaterThan(60)
    repair()
    await world.clock.advance(2000)
    expect(told).toEqual(['open', 'closed'])
    await cache.set('set', 'again')
    expect(await world.cache({ store: world.store }).get('set')).toBe('again')
  },

  'pain 4: a duration means milliseconds or says its unit': async () => {
    const world = new World()
    const cache = world.cache()
    for (const ttl of [300_000, '300000ms', '300s', '5m'] as const) {
      await cache.set('key', 1, { ttl })
      expect((await cache.getEntry('key'))?.ttlMs).toBe(300_000)
    }
    // @ts-expect-error no such unit
    await expect(cache.set('key', 1, { ttl: '5 mins' })).rejects.toThrow(OptionError)
  },

  'pain 5: a copy ends when the stored entry ends': async () => {
    const world = new World()
    await world.cache({ store: world.store }).set('key', 1, { ttl: 1000 })
    await world.clock.advance(700)
    const other = world.cache({ store: world.store, ttl: '1h' })
    expect(await other.get('key')).toBe(1)
    await world.clock.advance(300)
    expect(await other.get('key')).toBeUndefined()
  },

  'pain 6: a hit is not copied and cannot be changed': async () => {
    const cache = new World().cache()
    const first = await cache.getOrSet('key', () => ({ name: 'ada', tags: ['a'] }))
    const hit = await cache.getOrSet('key', () => ({ name: '', tags: [''] }))
    expect(hit).toBe(first)
    expect(() => {
      hit.name = 'changed'
    }).toThrow(TypeError)
    expect(() => hit.tags.push('b')).toThrow(TypeError)
  },

  'pain 7: what has no form as text is told of, and stays what it is': async () => {
    const world = new World()
    const cache = world.cache({ store: world.store })
    class Money {
      readonly cents: number
      constructor(cents: number) {
        this.cents = cents
      }
    }
    const told: unknown[] = []
    cache.on('encodeError', ({ key, error }) => told.push([key, (error as Error).message]))
    const read = () => cache.getOrSet('price', () => ({ total: new Money(5) }))
    expect((await read()).total).toBeInstanceOf(Money)
    expect((await read()).total).toBeInstanceOf(Money)
    await world.settle()
    expect(told).toEqual([['price', expect.stringContaining('value.total')]])
    expect(await cache.update('price', () => new Money(6)), 'an update stays near as well').toBeInstanceOf(Money)
    expect(await cache.get('price')).toEqual(new Money(6))
    expect(await world.cache({ store: world.store }).has('price')).toBe(false)
  },

  'pain 8: each process loads once, and who comes later not at all': async () => {
    const world = new World()
    const caches = Array.from({ length: 4 }, () => world.cache({ store: world.store, bus: world.hub.connect() }))
    const held = gate()
    let loads = 0
    const load = async (): Promise<number> => {
      loads++
      await held.passed
      return 1
    }
    const reads = caches.flatMap((cache) => Array.from({ length: 500 }, () => cache.getOrSet('key', load)))
    await world.settle()
    held.open()
    await Promise.all(reads)
    expect(loads).toBe(4)
    await world.settle()
    expect(await world.cache({ store: world.store }).getOrSet('key', load)).toBe(1)
    expect(loads).toBe(4)
  },

  'pain 9: a hundred readers of an entry that just ended share one load': async () => {
    for (const options of [{}, { staleWhileRevalidate: 1000 }, { staleIfError: 1000 }] satisfies CacheOptions[]) {
      const world = new World()
      const cache = world.cache({ ttl: 100, ...options })
      let loads = 0
      const read = () => cache.getOrSet('key', async () => ++loads)
      await read()
      await world.clock.advance(100)
      await Promise.all(Array.from({ length: 100 }, read))
      await world.settle()
      expect(loads).toBe(2)
    }
  },

  'pain 10: a failing load is called once and rejects all with its own error': async () => {
    const cache = new World().cache()
    const error = new RangeError('db down')
    let calls = 0
    const read = () =>
      cache.getOrSet('key', async () => {
        calls++
        throw error
      })
    const results = await Promise.allSettled(Array.from({ length: 100 }, read))
    expect(calls).toBe(1)
    expect(new Set(results.map((result) => (result as PromiseRejectedResult).reason))).toEqual(new Set([error]))
  },

  'pain 11: zero is off however it is written, and a renewal knows the stale value': async () => {
    for (const staleWhileRevalidate of [0, '0ms', '0s', undefined] as const) {
      const world = new World()
      const cache = world.cache({ ttl: 100, ...(staleWhileRevalidate === undefined ? {} : { staleWhileRevalidate }) })
      await cache.getOrSet('key', () => 'old')
      await world.clock.advance(100)
      expect(await cache.getOrSet('key', () => 'new')).toBe('new')
    }
    const world = new World()
    const cache = world.cache({ ttl: 100, staleWhileRevalidate: '1h' })
    await cache.getOrSet('key', () => 'old')
    await world.clock.advance(100)
    let seen: unknown
    await cache.getOrSet('key', (ctx) => {
      seen = [ctx.stale, ctx.background]
      return 'new'
    })
    await world.settle()
    expect(seen).toEqual(['old', true])
  },

  'pain 12: a tag of a thousand entries is invalidated by one command': async () => {
    const world = new World()
    const cache = world.cache({ store: world.store })
    for (let at = 0; at < 1000; at++) await cache.set(`key ${at}`, at, { tags: ['all', `one ${at}`] })
    const before = world.store.calls.length
    await cache.deleteByTag('all')
    expect(world.store.calls.slice(before)).toEqual(['bump 1'])
    expect((await cache.getMany(Array.from({ length: 1000 }, (_, at) => `key ${at}`))).size).toBe(0)
  },

  'pain 13: deleteByTag forgets, expireByTag makes stale': async () => {
    const world = new World()
    const cache = world.cache({ staleIfError: '1h' })
    const options = { tags: ['tag'] }
    await cache.getOrSet('key', () => 'old', options)
    await cache.expireByTag('tag')
    expect(await cache.get('key')).toBeUndefined()
    expect(await cache.getOrSet('key', fail, options)).toBe('old')
    await cache.deleteByTag('tag')
    await expect(cache.getOrSet('key', fail, options)).rejects.toThrow('db down')
  },

  'pain 14: a namespace is cleared by itself, everywhere': async () => {
    const world = new World()
    const [cache, peer] = [0, 1].map(() => world.cache({ store: world.store, bus: world.hub.connect() }))
    for (const space of ['users', 'orders']) {
      await cache!.namespace(space).set('1', space)
      await peer!.namespace(space).get('1')
    }
    await cache!.set('1', 'root')
    await cache!.namespace('users').clear()
    await world.settle()
    for (const each of [cache!, peer!]) {
      expect(await each.namespace('users').get('1')).toBeUndefined()
      expect(await each.namespace('orders').get('1')).toBe('orders')
      expect(await each.get('1')).toBe('root')
    }
  },

  'pain 15: many keys are one command and one load': async () => {
    const world = new World()
    const cache = world.cache({ store: world.store })
    const asked: (readonly string[])[] = []
    const load = async (keys: readonly string[]) => {
      asked.push(keys)
      return new Map(keys.map((key) => [key, key.toUpperCase()]))
    }
    const [many, single] = await Promise.all([
      cache.getOrSetMany(['a', 'b', 'a', 'c'], load),
      cache.getOrSet('b', () => 'a load of its own'),
    ])
    expect([...many]).toEqual([['a', 'A'], ['b', 'B'], ['c', 'C']]) // biome-ignore format: one line
    expect(single).toBe('B')
    expect(asked).toEqual([['a', 'b', 'c']])
    expect(world.store.calls.filter((call) => call.startsWith('read'))).toEqual(['read 3 1'])
  },

  "pain 16: other caches' messages do nothing, and a gap forgets all": async () => {
    const world = new World()
    const bus = world.hub.connect()
    const [shop, bank] = [world.cache({ bus: world.hub.connect() }), world.cache({ name: 'bank', bus })]
    await shop.set('key', 1)
    await bank.set('key', 2)
    await bank.delete('key')
    await bank.clear()
    await world.settle()
    expect(await shop.get('key')).toBe(1)
    await bank.set('key', 3)
    bus.heal()
    expect(await bank.get('key')).toBeUndefined()
  },

  'pain 18: the near tier is bounded by default, and in bytes without a weigher': async () => {
    const world = new World()
    const cache = world.cache()
    for (let at = 0; at < 11_000; at++) await cache.set(`key ${at}`, at)
    expect(cache.stats().size).toBe(10_000)
    const small = world.cache({ memory: { maxWeight: '64kb' } })
    for (let at = 0; at < 100; at++) await small.set(`key ${at}`, 'x'.repeat(2000))
    expect(small.stats().size).toBeLessThan(33)
    expect(small.stats().weight).toBeLessThanOrEqual(64 * 1024)
  },

  'pain 19: nothing stays behind of keys that came once': async () => {
    const world = new World()
    const cache = world.cache({ memory: { maxEntries: 10 }, hardTimeout: 1000 })
    for (let at = 0; at < 10_000; at++) await cache.getOrSet(`key ${at}`, () => at, { tags: [`tag ${at}`] })
    const { near } = (cache as unknown as { stack: { near: { tagCount: number; size: number } } }).stack
    expect(near.size).toBe(10)
    expect(near.tagCount).toBe(10)
    expect(world.clock.pending).toBeLessThanOrEqual(1)
  },

  'pain 20: a hundred thousand entries that expire together need no timers': async () => {
    const world = new World()
    const cache = world.cache({ ttl: 1000, memory: { maxEntries: 100_000 } })
    for (let at = 0; at < 100_000; at++) await cache.set(`key ${at}`, at)
    expect(world.clock.pending).toBeLessThanOrEqual(1)
    await world.clock.advance(1000)
    expect(cache.getSync('key 7')).toBeUndefined()
    expect(cache.getSync('key 99999')).toBeUndefined()
  },

  'pain 21: eviction does not abort a load': async () => {
    const world = new World()
    const cache = world.cache({ memory: { maxEntries: 1 } })
    const held = gate()
    let signal: AbortSignal | undefined
    const reading = cache.getOrSet('key', async (ctx) => {
      signal = ctx.signal
      await held.passed
      return 'loaded'
    })
    await world.settle()
    for (let at = 0; at < 100; at++) await cache.set(`other ${at}`, at)
    held.open()
    expect(await reading).toBe('loaded')
    expect(signal!.aborted).toBe(false)
  },

  'pain 22: every falsy value is kept': async () => {
    const cache = new World().cache()
    for (const [at, value] of [undefined, null, 0, -0, '', false, Number.NaN, 0n].entries()) {
      await cache.getOrSet(`key ${at}`, () => value)
      expect(await cache.getOrSet(`key ${at}`, () => 'loaded again')).toBe(value)
    }
  },

  'pain 23: a stored value of an unknown format is a miss': async () => {
    const world = new World()
    const cache = world.cache({ store: world.store })
    const told: string[] = []
    cache.on('decodeError', ({ key }) => told.push(key))
    const { versions } = await world.store.read([], ['shop#'])
    for (const value of ['!9{"later":true}', '{broken', '']) {
      const tags = [['', versions[0]!]] as const
      const [mark] = await world.store.invalidate(['shop:key'], 1000, false)
      await world.store.fill('shop:key', { value, freshMs: 1000, keepMs: 1000, tags }, mark!)
      expect(await cache.getOrSet('key', (ctx) => ctx.skip('loaded'))).toBe('loaded')
    }
    expect(told).toEqual(['key', 'key', 'key'])
  },

  'pain 24: forever is for ever and zero is refused': async () => {
    const world = new World()
    const cache = world.cache({ store: world.store })
    await cache.set('key', 1, { ttl: 'forever' })
    await world.clock.advance(1e13)
    expect(await cache.get('key')).toBe(1)
    expect(await world.cache({ store: world.store }).get('key')).toBe(1)
    await expect(cache.set('key', 1, { ttl: 0 })).rejects.toThrow(/ctx\.skip/)
  },

  'pain 25: background work can be waited for and never rejects': async () => {
    const world = new World()
    const work: Promise<unknown>[] = []
    const { store } = unusable(world.store, () => Promise.reject(new Error('connection refused')))
    const bus = { ...world.hub.connect(), publish: () => Promise.reject(new Error('bus down')), subscribe: () => () => {}, close: async () => {} } // biome-ignore format: one line
    const waitUntil = (promise: Promise<unknown>): void => void work.push(promise)
    const cache = world.cache({ ttl: 100, staleWhileRevalidate: '1h', store, bus, waitUntil })
    await cache.getOrSet('key', () => 1)
    await world.clock.advance(100)
    await cache.getOrSet('key', fail)
    await cache.delete('key')
    expect(work.length).toBeGreaterThanOrEqual(2)
    for (const result of await Promise.allSettled(work)) expect(result.status).toBe('fulfilled')
  },

  'pain 26: wrapped functions never share a key between arguments': async () => {
    const cache = new World().cache()
    const echo = cache.wrap((...args: unknown[]) => args.map(String).join(), { key: 'echo' })
    const calls = [['BY'], ['Az'], [1], ['1'], ['a', 'b'], ['a,b'], [['a', 'b']], [{ a: 1 }], ['{"a":1}'], [null], ['null'], []] // biome-ignore format: one line
    expect(new Set(calls.map((args) => echo.key(...args))).size).toBe(calls.length)
    expect(await echo('Az')).toBe('Az')
    expect(await echo('BY')).toBe('BY')
  },
}

describe('the 26 pains', () => {
  for (const [name, run] of Object.entries(pains)) test(name, run)
})

test('docs/pains.md and these tests agree', () => {
  const page = readFileSync(join(dirname(dirname(import.meta.dirname)), 'docs/pains.md'), 'utf8')
  const headings = [...page.matchAll(/^## (\d+)\. /gm)].map(([, number]) => Number(number))
  expect(headings).toEqual(Array.from({ length: 26 }, (_, at) => at + 1))
  const sections = page.split(/^## /m).slice(1)
  const named = sections.flatMap((section) => {
    const number = Number.parseInt(section, 10)
    const name = /^Test: `(.+)`$/m.exec(section)?.[1]
    if (name !== undefined) expect(name).toMatch(new RegExp(`^pain ${number}: `))
    return name ?? []
  })
  expect(named).toEqual(Object.keys(pains))
})
