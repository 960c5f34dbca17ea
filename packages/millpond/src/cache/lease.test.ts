import { describe, expect, test } from 'vitest'
import { keyTag, Lease } from './lease.ts'
import { TagRegistry } from './tags.ts'

const PLAIN = { fed: false, whole: true }

function taken(tags: readonly string[] = ['tag'], feed = PLAIN) {
  const registry = new TagRegistry()
  return { registry, lease: new Lease(registry, 'key', tags, feed) }
}

describe('a lease holds until something that it depends on is invalidated', () => {
  test.each<[string, (registry: TagRegistry) => void, boolean]>([
    ['nothing', () => {}, true],
    ['its key', (registry) => registry.invalidateHeld(keyTag('key')), false],
    ['another key', (registry) => registry.invalidateHeld(keyTag('other')), true],
    ['its tag', (registry) => registry.invalidate('tag'), false],
    ['its tag, made stale', (registry) => registry.expire('tag'), false],
    ['another tag', (registry) => registry.invalidate('other'), true],
    ['everything', (registry) => registry.invalidateAll(), false],
  ])('%s', (_, invalidate, holds) => {
    const { registry, lease } = taken()
    invalidate(registry)
    expect([lease.holds, lease.mayStore]).toEqual([holds, holds])
  })
})

test('tags that are named late are judged from the beginning', () => {
  const { registry, lease } = taken([])
  registry.invalidate('late')
  expect(lease.mayStore).toBe(true)
  lease.addTags(['late'], false)
  expect(lease.mayStore).toBe(false)
})

test('who joined after an invalidation of a late tag is told; who joined before is not', () => {
  const { registry, lease } = taken([])
  const joinedBefore = registry.sequence
  registry.invalidate('late')
  const joinedAfter = registry.sequence
  expect(lease.mayPredate(joinedAfter), 'nobody knows yet').toBe(false)
  lease.addTags(['late'], false)
  lease.end(false)
  expect([lease.mayPredate(joinedBefore), lease.mayPredate(joinedAfter)]).toEqual([false, true])
})

test('when invalidations had to be forgotten, late tags may not be stored, and later readers may not trust them', () => {
  const { registry, lease } = taken([])
  for (let at = 0; at <= 10_000; at++) registry.invalidate(`tag ${at}`)
  const joinedAt = registry.sequence
  expect(lease.mayStore).toBe(true)
  lease.addTags(['tag 5'], false)
  expect(lease.mayStore).toBe(false)
  expect(lease.mayPredate(joinedAt)).toBe(true)
})

test('a commit that is not visible yet, and a feed that was not whole, forbid to store', () => {
  const unsettled = taken(['trades:1'], { fed: true, whole: true })
  unsettled.registry.unsettle('trades:1')
  unsettled.lease.restart(true)
  expect([unsettled.lease.holds, unsettled.lease.mayStore]).toEqual([true, false])
  expect(taken(['trades:1'], { fed: true, whole: false }).lease.mayStore).toBe(false)
  expect(taken(['trades:1'], { fed: false, whole: false }).lease.mayStore).toBe(true)
})

test('restart forgets what was invalidated until then, unless another load has taken its place', () => {
  const { registry, lease } = taken()
  registry.invalidate('tag')
  lease.restart(true)
  expect(lease.holds).toBe(true)
  lease.void()
  lease.restart(true)
  expect([lease.holds, lease.mayStore]).toEqual([false, false])
})

test('its end releases its tags, once, or leaves them to the entry', () => {
  const { registry, lease } = taken()
  lease.end(false)
  lease.end(false)
  expect(registry.size).toBe(0)
  const kept = taken()
  kept.lease.end(true)
  expect(kept.registry.size).toBe(1)
  kept.registry.release(kept.lease.tags)
  expect(kept.registry.size).toBe(0)
})
