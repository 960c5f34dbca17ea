import { describe, expect, test } from 'vitest'
import { changedSince, TagRegistry, unsettled, validSince } from './tags.ts'

describe('invalidation', () => {
  test('what began before is not valid any more, what begins after is', () => {
    const registry = new TagRegistry()
    const tags = registry.hold(['a', 'b'])
    const before = registry.sequence
    registry.invalidate('b')
    expect(validSince(tags, before)).toBe(false)
    expect(validSince(tags, registry.sequence)).toBe(true)
  })

  test('another tag, or one that nobody holds, changes nothing', () => {
    const registry = new TagRegistry()
    const tags = registry.hold(['a'])
    const before = registry.sequence
    registry.invalidate('other')
    expect(validSince(tags, before)).toBe(true)
    expect(registry.size).toBe(1)
  })

  test('expire makes stale and leaves valid', () => {
    const registry = new TagRegistry()
    const tags = registry.hold(['a'])
    const before = registry.sequence
    registry.expire('a')
    expect([validSince(tags, before), changedSince(tags, before)]).toEqual([true, true])
  })

  test('invalidateAll is remembered by its place in the sequence', () => {
    const registry = new TagRegistry()
    const before = registry.sequence
    registry.invalidateAll()
    expect(registry.allInvalidatedAt).toBeGreaterThan(before)
  })
})

describe('what a feed announces', () => {
  test('is unsettled until every commit is settled, and each step voids what began before', () => {
    const registry = new TagRegistry()
    const tags = registry.hold(['a'])
    registry.unsettle('a')
    registry.unsettle('a')
    const between = registry.sequence
    registry.settle('a')
    expect(unsettled(tags)).toBe(true)
    expect(validSince(tags, between)).toBe(false)
    registry.settle('a')
    expect(unsettled(tags)).toBe(false)
    registry.settle('a')
    expect(unsettled(tags), 'a settle too many').toBe(false)
  })

  test('settleAll begins anew', () => {
    const registry = new TagRegistry()
    const tags = registry.hold(['a'])
    registry.unsettle('a')
    registry.unsettle('nobody holds it')
    registry.settleAll()
    expect(unsettled(tags)).toBe(false)
    registry.release(tags)
    expect(registry.size).toBe(0)
  })
})

describe('bookkeeping', () => {
  test('a tag exists while someone holds it', () => {
    const registry = new TagRegistry()
    const [one, other] = [registry.hold(['a']), registry.hold(['a'])]
    expect(one[0]).toBe(other[0])
    registry.release(one)
    expect(registry.size).toBe(1)
    registry.release(other)
    expect(registry.size).toBe(0)
  })

  test('while a load is under way, what was invalidated lingers, and nothing else does', () => {
    const registry = new TagRegistry()
    const began = registry.beginLoad()
    registry.release(registry.hold(['only held', '\0\0key']))
    registry.invalidate('named late')
    expect(registry.size).toBe(1)
    const late = registry.hold(['named late'])
    expect(validSince(late, began)).toBe(false)
    registry.release(late)
    registry.endLoad()
    expect(registry.size).toBe(0)
  })

  test('a tag that is held again while it lingers is still the same', () => {
    const registry = new TagRegistry()
    registry.beginLoad()
    registry.invalidate('a')
    const again = registry.hold(['a'])
    registry.endLoad()
    const before = registry.sequence
    registry.invalidate('a')
    expect(validSince(again, before)).toBe(false)
  })

  test('too many lingering tags are forgotten, and loads that began before are not trusted with late ones', () => {
    const registry = new TagRegistry()
    const began = registry.beginLoad()
    expect(registry.remembers(began)).toBe(true)
    for (let at = 0; at < 10_001; at++) registry.invalidate(`tag ${at}`)
    expect(registry.size).toBe(0)
    expect(registry.remembers(began)).toBe(false)
    registry.invalidate('next')
    expect(registry.remembers(registry.beginLoad())).toBe(true)
  })
})
