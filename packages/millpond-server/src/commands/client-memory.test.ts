import { expect, test } from 'vitest'
import { TestService } from './testing.ts'

test('what clients hold is counted: watched keys, channels, prefixes, queued commands; and given back', () => {
  const service = new TestService()
  const client = service.client()
  const count = (): number => {
    service.clientMemory.count(client)
    return service.clientMemory.bytes
  }
  client.say('hello 3')
  const alone = count()
  client.say('watch a')
  client.say('subscribe news')
  client.say('client tracking on bcast prefix user:')
  const holding = count()
  expect(holding).toBeGreaterThan(alone + 3 * 100)
  client.say('unwatch')
  client.say('unsubscribe')
  client.say('client tracking off')
  expect(count()).toBe(alone)
  client.say('multi')
  client.run('set', 'a', 'x'.repeat(5000))
  expect(count()).toBeGreaterThan(alone + 5000)
  client.say('discard')
  expect(count()).toBe(alone)
  client.leave()
  expect(service.clientMemory.bytes).toBe(0)
})

test('above maxmemory-clients the largest leaves, unless it is not to be evicted', () => {
  const service = new TestService()
  const [small, large, kept] = [service.client(), service.client(), service.client()]
  for (const client of [large, kept]) {
    client.say('multi')
    client.run('set', 'a', 'x'.repeat(client === kept ? 30_000 : 20_000))
  }
  kept.noEvict = true
  for (const client of [small, large, kept]) service.clientMemory.count(client)
  small.say('config set maxmemory-clients 40000')
  expect([small.closed, large.closed, kept.closed]).toEqual([false, true, false])
  expect(service.statistics.clientsEvicted).toBe(1)
  expect(service.clientMemory.bytes).toBeLessThan(40_000)
})

test('what clients take is room that keys do not have', () => {
  const service = new TestService()
  const client = service.client()
  client.say('config set maxmemory 4mb')
  const before = service.cache.bytesMax
  client.say('multi')
  client.run('set', 'a', 'x'.repeat(1_000_000))
  service.clientMemory.count(client)
  expect(service.cache.bytesMax).toBeLessThan(before - 1_000_000)
  client.say('discard')
  service.clientMemory.count(client)
  expect(service.cache.bytesMax).toBeGreaterThan(before - 20_000)
})
