import { describe, expect, test } from 'vitest'
import { sleep } from '../core/clock.ts'
import type { Store } from '../core/store.ts'
import { faultyStore } from '../testing/faulty-store.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { createCache } from './cache.ts'
import type { CacheOptions } from './options.ts'

/** Some processes that share a store and load a key once for all; a load takes 100 ms. */
function setup({ count = 4, ...options }: CacheOptions & { count?: number } = {}) {
  const clock = manualClock()
  const store = new MemoryStore(clock)
  const isDown = Array.from({ length: count }, () => false)
  const linkOf = (at: number): Store =>
    faultyStore(store, () => (isDown[at] ? Promise.reject(new Error('down')) : undefined))
  const caches = Array.from({ length: count }, (_, at) =>
    createCache({ name: 'shop', clock, store: linkOf(at), lock: 'store', ...options }),
  )
  const loads: number[] = []
  const load = async (): Promise<number> => {
    const number = loads.push(clock.monotonic())
    await sleep(clock, 100)
    return number
  }
  return { clock, store, isDown, caches, loads, load }
}

/** Runs reads to their end, step by step; returns how they end, and when. */
async function ends<T>(
  clock: ReturnType<typeof manualClock>,
  reads: Promise<T>[],
): Promise<{ how: (T | string)[]; atMs: number[] }> {
  const atMs: number[] = []
  const how = reads.map(async (read, at) => {
    try {
      return await read
    } catch (error) {
      return (error as Error).message
    } finally {
      atMs[at] = clock.monotonic()
    }
  })
  let isDone = false
  void Promise.all(how).then(() => {
    isDone = true
  })
  for (let step = 0; step < 30_000 && !isDone; step++) await clock.advance(1)
  return { how: await Promise.all(how), atMs }
}

describe("lock: 'store'", () => {
  test('of four processes with 500 misses each one loads, and the others have the value 10 ms later at most', async () => {
    const { clock, caches, load, loads } = setup()
    const reads = caches.flatMap((cache) => Array.from({ length: 500 }, () => cache.getOrSet('key', load)))
    const { how, atMs } = await ends(clock, reads)
    expect(new Set(how)).toEqual(new Set([1]))
    expect(loads).toEqual([0])
    expect(Math.max(...atMs)).toBeLessThanOrEqual(110)
    expect(caches.map((cache) => cache.stats().loads)).toEqual([1, 0, 0, 0])
  })

  test('without it each process loads', async () => {
    const { clock, caches, load, loads } = setup({ lock: 'process' })
    await ends(
      clock,
      caches.map((cache) => cache.getOrSet('key', load)),
    )
    expect(loads).toEqual([0, 0, 0, 0])
  })

  test('a call may ask for it, and a call may do without', async () => {
    const { clock, caches, load, loads } = setup({ count: 2 })
    await ends(
      clock,
      caches.map((cache) => cache.getOrSet('key', load, { lock: 'process' })),
    )
    expect(loads).toHaveLength(2)
  })

  test('a load that fails is tried by the others at once, by each once', async () => {
    const { clock, caches } = setup()
    const began: number[] = []
    const fail = async (): Promise<never> => {
      began.push(clock.monotonic())
      await sleep(clock, 100)
      throw new Error('db down')
    }
    const { how, atMs } = await ends(
      clock,
      caches.map((cache) => cache.getOrSet('key', fail)),
    )
    expect(new Set(how)).toEqual(new Set(['db down']))
    expect(began).toHaveLength(4)
    expect(Math.max(...began), 'nobody waits for two that fail').toBeLessThanOrEqual(115)
    expect(Math.max(...atMs)).toBeLessThanOrEqual(215)
  })

  test('a value that is kept nowhere sends the others off at once', async () => {
    const { clock, caches } = setup()
    const began: number[] = []
    const { how } = await ends(
      clock,
      caches.map((cache) =>
        cache.getOrSet('key', async (ctx) => {
          began.push(clock.monotonic())
          await sleep(clock, 100)
          return ctx.skip('value')
        }),
      ),
    )
    expect(new Set(how)).toEqual(new Set(['value']))
    expect([began.length, Math.max(...began) <= 115]).toEqual([4, true])
  })

  test('a load that lasts longer than its lease is not begun again by others', async () => {
    const { clock, caches, loads } = setup({ lease: 300 })
    const slow = async (): Promise<string> => {
      loads.push(clock.monotonic())
      await sleep(clock, 2000)
      return 'slow'
    }
    const { how } = await ends(
      clock,
      caches.map((cache) => cache.getOrSet('key', slow)),
    )
    expect([new Set(how), loads]).toEqual([new Set(['slow']), [0]])
  })

  test('the place of a process that died is taken by one other, when its lease ends', async () => {
    const { clock, caches, isDown, load, loads } = setup({ lease: 300 })
    const dead = caches[0]!.getOrSet('key', () => new Promise<number>(() => {}))
    await clock.advance(50)
    isDown[0] = true
    const { how, atMs } = await ends(
      clock,
      caches.slice(1).map((cache) => cache.getOrSet('key', load)),
    )
    expect([how, loads.length]).toEqual([[1, 1, 1], 1])
    expect(loads[0]).toBeLessThanOrEqual(310)
    expect(Math.max(...atMs)).toBeLessThanOrEqual(420)
    void dead
  })

  test('with a store that is away everyone loads at once', async () => {
    const { clock, caches, isDown, load, loads } = setup({ count: 3 })
    const reads = caches.map((cache) => cache.getOrSet('key', load))
    await clock.advance(20)
    isDown.fill(true)
    const { how } = await ends(clock, reads)
    expect(how.every((value) => typeof value === 'number')).toBe(true)
    expect(Math.max(...loads), 'after the next look').toBeLessThanOrEqual(30)
  })

  test('nobody waits longer than a load may take, nor than the signal says', async () => {
    const { clock, caches, loads } = setup({ count: 3 })
    const never = (): Promise<never> => new Promise(() => {})
    void caches[0]!.getOrSet('key', never)
    await clock.advance(10)
    const controller = new AbortController()
    const reads = [
      caches[1]!.getOrSet('key', never, { hardTimeout: 500 }),
      caches[2]!.getOrSet('key', never, { signal: controller.signal }),
    ]
    clock.after(200, () => controller.abort(new Error('left')))
    const { how, atMs } = await ends(clock, reads)
    expect(how).toEqual([expect.stringContaining('hardTimeout of 500 ms'), 'left'])
    expect([atMs[0]! <= 511, atMs[1]! <= 211, loads.length]).toEqual([true, true, 0])
  })

  test('waiting and loading have one hardTimeout together', async () => {
    const { clock, caches } = setup({ count: 2 })
    const first = caches[0]!.getOrSet('key', async () => {
      await sleep(clock, 300)
      throw new Error('db down')
    })
    const second = caches[1]!.getOrSet('key', () => new Promise<never>(() => {}), { hardTimeout: 500 })
    const { how, atMs } = await ends(clock, [first, second])
    expect(how).toEqual(['db down', expect.stringContaining('hardTimeout')])
    expect(atMs[1]).toBeLessThanOrEqual(501)
  })

  test('a stale value is served while another process renews it, once', async () => {
    const { clock, caches, load, loads } = setup({ ttl: 1000, staleWhileRevalidate: '1h' })
    await ends(
      clock,
      caches.map((cache) => cache.getOrSet('key', load)),
    )
    await clock.advance(2000)
    expect(await Promise.all(caches.map((cache) => cache.getOrSet('key', load)))).toEqual([1, 1, 1, 1])
    await clock.advance(200)
    expect(await Promise.all(caches.map((cache) => cache.getOrSet('key', load)))).toEqual([2, 2, 2, 2])
    expect(loads).toHaveLength(2)
  })

  test('a refresh loads now, whoever else is loading', async () => {
    const { clock, caches, load, loads } = setup({ count: 2 })
    const wrapped = caches.map((cache) => cache.wrap((_: string) => load(), { key: (key) => key }))
    const first = wrapped[0]!('key')
    await clock.advance(10)
    await ends(clock, [first, wrapped[1]!.refresh('key')])
    expect(loads).toEqual([0, 10])
  })

  test('an invalidation while one loads: nobody who comes after it gets the old value', async () => {
    const { clock, store, caches } = setup()
    let row = 'old'
    const load = async (): Promise<string> => {
      const read = row
      await sleep(clock, 100)
      return read
    }
    const early = caches.map((cache) => cache.getOrSet('key', load))
    await clock.advance(50)
    row = 'new'
    await caches[3]!.delete('key')
    const late = caches[3]!.getOrSet('key', load)
    await ends(clock, [...early, late])
    expect(await late).toBe('new')
    expect(await createCache({ name: 'shop', clock, store }).get('key')).not.toBe('old')
  })

  test('when the cache closes, who waits is let go', async () => {
    const { clock, caches } = setup({ count: 2 })
    void caches[0]!.getOrSet('key', () => new Promise<never>(() => {}))
    await clock.advance(10)
    const waiting = caches[1]!.getOrSet('key', () => 'own')
    const closed = caches[1]!.close({ timeout: 100 })
    const { how } = await ends(clock, [waiting])
    expect(how).toEqual([expect.stringContaining('closed')])
    await closed
    const { pending } = clock
    await clock.advance(20)
    expect(clock.pending).toBeLessThanOrEqual(pending)
  })

  test('a lease too short for its renewals, and a lock of another name, are refused', () => {
    expect(() => createCache({ lease: 100 })).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option: 'lease' }))
    expect(() => createCache({ lock: 'fleet' as never })).toThrow(expect.objectContaining({ option: 'lock' }))
  })
})
