import { expect, test } from 'vitest'
import { MemoryBudget } from '../memory/memory-budget.ts'
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
  const reading = expect(cache.getOrSet('key', () => new Promise<never>(() => {}))).resolves
  void reading
  const closed = cache.close({ timeout: '1s' })
  await clock.advance(1000)
  await closed
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
