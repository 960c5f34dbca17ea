import { expect, test } from 'vitest'
import { sleep } from '../core/clock.ts'
import { MemoryBudget } from '../memory/memory-budget.ts'
import { faultyStore } from '../testing/faulty-store.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { createCache } from './cache.ts'
import type { CacheHost } from './host.ts'

test('close() rejects when its timeout cuts off writes that were not delivered', async () => {
  const clock = manualClock()
  const cache = createCache({ clock, name: 'shop' }) as CacheHost
  cache.onClose(() => new Promise<void>(() => {}))
  const closed = cache.close({ timeout: '1s' })
  const failure = expect(closed).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  await clock.advance(1000)
  await failure
})

test('close() resolves when its timeout cuts off a load that never ends', async () => {
  const clock = manualClock()
  const cache = createCache({ clock })
  const reading = cache.getOrSet('key', () => new Promise<never>(() => {})).catch(() => {})
  const closed = cache.close({ timeout: '1s' })
  await clock.advance(1000)
  await closed
  await reading
})

test('a waitUntil that throws is told to the logger, and does not fail the read', async () => {
  const clock = manualClock()
  const told: string[] = []
  const logger = { warn() {}, error: (_: object, message: string) => void told.push(message) }
  const waitUntil = (): never => {
    throw new Error('no request is under way')
  }
  const cache = createCache({ clock, logger, waitUntil, store: new MemoryStore(clock) })
  expect(await cache.getOrSet('key', () => 'value')).toBe('value')
  await clock.advance(0)
  expect(told).toContain('waitUntil threw')
})

test('a fence that is not well above the time of a call is refused', () => {
  expect(() => createCache({ fence: 100 })).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option: 'fence' }))
})

test('getEntry without a near tier tells what the store knows', async () => {
  const clock = manualClock()
  const cache = createCache({ clock, memory: false, store: new MemoryStore(clock) })
  await cache.set('key', 'value', { ttl: '1m', tags: ['tag'] })
  await clock.advance(20_000)
  expect(await cache.getEntry('key')).toMatchObject({ value: 'value', state: 'fresh', tags: ['tag'], ttlMs: 40_000 })
})

test('caches that share a budget never weigh more than it together', async () => {
  const budget = new MemoryBudget(10_000)
  const caches = ['pages', 'users'].map((name) => createCache({ name, memory: { budget } }))
  for (let at = 0; at < 500; at++) {
    for (const cache of caches) await cache.set(`key ${at}`, 'x'.repeat(100))
    expect(budget.weight).toBeLessThanOrEqual(10_000)
  }
  expect(caches.reduce((sum, cache) => sum + cache.stats().weight, 0)).toBe(budget.weight)
  expect(caches.every((cache) => cache.stats().size > 0)).toBe(true)
})

test('close() does not wait for a store that never closes', async () => {
  const clock = manualClock()
  const store = faultyStore(new MemoryStore(clock), ({ method }) => {
    if (method === 'close') return new Promise<void>(() => {})
  })
  const closed = createCache({ clock, store }).close({ timeout: '1s' })
  await clock.advance(2000)
  await closed
})

test('close() drains what is under way, not what traffic goes on to bring', async () => {
  const clock = manualClock()
  const cache = createCache({ clock })
  let isClosed = false
  const read = (at: number): Promise<unknown> => cache.getOrSet(`key ${at}`, () => sleep(clock, 10)).catch(() => {})
  const reads = [read(0)]
  const closed = cache.close().then(() => {
    isClosed = true
  })
  for (let at = 1; at < 100 && !isClosed; at++) {
    reads.push(read(at))
    await clock.advance(5)
  }
  expect(isClosed).toBe(true)
  await closed
  await clock.advance(10)
  await Promise.all(reads)
})

test('who waits for a loader that does not heed its signal is let go when the cache closes', async () => {
  const clock = manualClock()
  const cache = createCache({ clock })
  const reading = expect(cache.getOrSet('key', () => new Promise<never>(() => {}))).rejects.toMatchObject({
    code: 'ERR_CLOSED',
  })
  const closed = cache.close({ timeout: '1s' })
  await clock.advance(1000)
  await closed
  await reading
})

test('in a request each caller keeps its own signal, and its own copy', async () => {
  const clock = manualClock()
  const cache = createCache({ clock, copy: 'clone' })
  await cache.request(async () => {
    const [first, second] = [new AbortController(), new AbortController()]
    let open = (_: { n: number }): void => {}
    const load = () => new Promise<{ n: number }>((resolve) => void (open = resolve))
    const given = [first, second].map(({ signal }) => cache.getOrSet('key', load, { signal }))
    const patient = cache.getOrSet('key', load)
    const refused = given.map((read) => expect(read).rejects.toBeInstanceOf(Error))
    await clock.advance(0)
    second.abort(new Error('second'))
    first.abort(new Error('first'))
    await Promise.all(refused)
    open({ n: 1 })
    const value = await patient
    value.n = 2
    expect(await cache.getOrSet('key', load)).toEqual({ n: 1 })
  })
})

test('options may be worked out when they are asked for: a load asks for its tags, a hit does not', async () => {
  const cache = createCache({ clock: manualClock() })
  let asked = 0
  class Options {
    get tags(): string[] {
      asked++
      return ['orders']
    }
  }
  for (const run of [<R>(read: () => R) => read(), cache.request.bind(cache)]) {
    let loads = 0
    const read = () => run(() => cache.getOrSet('key', () => ++loads, new Options()))
    expect(await read()).toBe(1)
    const before = asked
    expect([await read(), asked]).toEqual([1, before])
    await cache.deleteByTag('orders')
    expect(await read()).toBe(2)
    await cache.delete('key')
  }
})

test('a signal that is aborted already starts no load', async () => {
  const cache = createCache({ clock: manualClock() })
  let loads = 0
  const signal = AbortSignal.abort(new Error('too late'))
  await expect(cache.getOrSet('key', () => ++loads, { signal })).rejects.toThrow('too late')
  expect(loads).toBe(0)
})

test('what can not be a part, a policy or a loader is refused by name', async () => {
  for (const option of ['clock', 'store', 'bus', 'feed']) {
    const given = { [option]: {} }
    expect(() => createCache(given)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option }))
  }
  const memory = { policy: 'lru' as never }
  expect(() => createCache({ memory })).toThrow(expect.objectContaining({ option: 'memory.policy' }))
  await expect(createCache().getOrSet('key', 5 as never)).rejects.toMatchObject({ code: 'ERR_OPTION', option: 'load' })
})

test('a load that fails after a miss of the store is told once, and its signal is not aborted', async () => {
  const clock = manualClock()
  const cache = createCache({ clock, store: new MemoryStore(clock) })
  let signal: AbortSignal | undefined
  const failing = cache.getOrSet('key', (ctx) => {
    signal = ctx.signal
    throw new Error('no such row')
  })
  await expect(failing).rejects.toThrow('no such row')
  expect([signal?.aborted, cache.stats().loadErrors]).toEqual([false, 1])
})

test('what fails while a value of the store is kept fails that read, and not those that come later', async () => {
  const clock = manualClock()
  const store = new MemoryStore(clock)
  await createCache({ clock, store }).set('key', 'value')
  let isBroken = true
  const weigher = (): number => {
    if (isBroken) throw new Error('the weigher is broken')
    return 1
  }
  const cache = createCache({ clock, store, memory: { maxWeight: 1000, weigher } })
  await expect(cache.getOrSet('key', () => 'loaded')).rejects.toThrow('the weigher is broken')
  isBroken = false
  expect(await cache.getOrSet('key', () => 'loaded')).toBe('value')
})

test('close() lets a read end whose store has not answered yet', async () => {
  const clock = manualClock()
  const store = faultyStore(new MemoryStore(clock), () => sleep(clock, 20))
  const cache = createCache({ clock, store })
  const reading = cache.getOrSet('key', () => 'loaded')
  await clock.advance(1)
  const closed = cache.close()
  await clock.advance(1000)
  await closed
  expect(await reading).toBe('loaded')
})
