import { describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { HeapTable } from '../memory/heap-table.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MemoryFeed } from '../testing/memory-feed.ts'
import { Emitter } from './emitter.ts'
import { DEFAULT_LIFE, resolveLife } from './life.ts'
import { NearTier } from './near-tier.ts'
import type { EntryOptions, MemoryOptions } from './options.ts'
import { sealerOf } from './sealer.ts'
import { Counters } from './stats.ts'

function setup(memory: MemoryOptions | false = {}) {
  const clock = manualClock()
  const feed = new MemoryFeed({ clock, tables: ['trades'] })
  const counters = new Counters()
  const near = new NearTier({
    memory,
    table: (options) => new HeapTable(options),
    clock,
    random: () => 0,
    sealer: sealerOf('freeze'),
    feed,
    counters,
    emitter: new Emitter('shop', silentLogger),
  })
  const keep = (
    key: string,
    tags: readonly string[] = [],
    options: EntryOptions = {},
    lease = near.lease(key, tags),
  ) => {
    const nowMs = clock.monotonic()
    const life = resolveLife(options, DEFAULT_LIFE)
    return near.keep(key, `value of ${key}`, lease, life, { nowMs, loadedAtMs: nowMs, freshMs: 1000 })
  }
  const standing = (key: string) => {
    const entry = near.peek(key, clock.monotonic())
    return entry === undefined ? 'absent' : near.standing(key, entry, clock.monotonic())
  }
  return { clock, feed, near, counters, keep, standing }
}

describe('an entry is served', () => {
  test('while its time lasts', async () => {
    const { clock, near, keep } = setup()
    keep('a')
    await clock.advance(999)
    expect(near.fresh('a', 999)?.sealed).toBe('value of a')
    expect(near.fresh('a', 1000)).toBeUndefined()
  })

  test.each<[string, (near: NearTier) => void, string]>([
    ['another key is deleted', (near) => near.deleteKeys(['b'], 'delete'), 'fresh'],
    ['its key is deleted', (near) => near.deleteKeys(['a'], 'delete'), 'absent'],
    ['its tag is deleted', (near) => near.deleteTags(['tag']), 'gone'],
    ['its key is expired', (near) => near.expireKeys(['a']), 'stale'],
    ['its tag is expired', (near) => near.expireTags(['tag']), 'stale'],
    ['all is cleared', (near) => near.clear('delete'), 'absent'],
    ['only its loads are voided', (near) => near.voidLoads('a'), 'fresh'],
  ])('or not, when %s', (_, change, expected) => {
    const { clock, near, keep, standing } = setup()
    keep('a', ['tag'], { staleWhileRevalidate: 500 })
    change(near)
    expect(near.fresh('a', clock.monotonic()) === undefined).toBe(expected !== 'fresh')
    expect(standing('a')).toBe(expected)
  })

  test('while the feed that covers it proves its freshness', async () => {
    const { clock, feed, counters, keep, standing } = setup()
    feed.stall()
    keep('a', ['trades:1'])
    keep('plain')
    await clock.advance(250)
    expect(standing('a')).toBe('fresh')
    await clock.advance(1)
    expect([standing('a'), standing('plain')]).toEqual(['gone', 'fresh'])
    expect(counters.bypasses).toBe(1)
    feed.resume()
    expect(standing('a')).toBe('fresh')
  })

  test('to a reader with a position once the feed has told that far', () => {
    const { clock, feed, near, keep } = setup()
    const position = feed.commit('trades:2')
    keep('a', ['trades:1'])
    keep('plain')
    const at = (key: string, atLeast: string) => near.standing(key, near.peek(key)!, clock.monotonic(), atLeast)
    expect([at('a', position), at('a', '2'), at('plain', position)]).toEqual(['fresh', 'gone', 'gone'])
  })
})

/** A commit that is announced and becomes visible at once. */
function commitAndSettle(feed: MemoryFeed, near: NearTier): void {
  const leave = feed.subscribe({
    invalidate: (tags) => near.unsettle(tags),
    settle: (tags) => near.settle(tags),
    reset: () => near.resetFeed(),
  })
  feed.commit('trades:*')
  feed.settle()
  leave()
}

describe('nothing is kept', () => {
  test.each<[string, (setup_: ReturnType<typeof setup>) => void]>([
    ['after its key was voided', ({ near }) => near.voidLoads('a')],
    ['after its tag was deleted', ({ near }) => near.deleteTags(['trades:1'])],
    ['after all was cleared', ({ near }) => near.clear('delete')],
    ['while a commit is not visible', ({ near }) => near.unsettle(['trades:1'])],
    ['after a commit became visible', ({ feed, near }) => commitAndSettle(feed, near)],
    ['after the feed began anew', ({ near }) => near.resetFeed()],
  ])('%s', (_, change) => {
    const given = setup()
    const lease = given.near.lease('a', ['trades:1'])
    change(given)
    expect(given.keep('a', [], {}, lease)).toBeUndefined()
    expect(given.near.peek('a')).toBeUndefined()
    given.near.settle(['trades:1'])
    expect(given.near.tagCount).toBe(0)
  })

  test('without memory', () => {
    const { near, keep } = setup(false)
    expect(keep('a', ['tag'])).toBeUndefined()
    expect([near.size, near.tagCount]).toEqual([0, 0])
  })
})

test('tags live as long as the entries that carry them: replaced, evicted, expired or refused', async () => {
  const { clock, near, keep } = setup({ maxWeight: 1000, weigher: () => 100 })
  for (let at = 0; at < 50; at++) keep(`key ${at % 20}`, [`tag ${at}`, 'shared'])
  expect(near.tagCount).toBe(near.size + 1)
  keep('too heavy', ['heavy'], { weight: 2000 })
  expect(near.peek('too heavy')).toBeUndefined()
  expect(near.tagCount).toBe(near.size + 1)
  await clock.advance(1000)
  for (let at = 0; at < 20; at++) near.fresh(`key ${at}`, clock.monotonic())
  expect([near.size, near.tagCount]).toEqual([0, 0])
})

test('holds knows the entry of a key, or that there is none', () => {
  const { near, keep } = setup()
  expect(near.holds('a', undefined)).toBe(true)
  const entry = keep('a', ['tag'])!
  expect([near.holds('a', entry), near.holds('a', undefined)]).toEqual([true, false])
  near.deleteTags(['tag'])
  expect(near.holds('a', entry)).toBe(false)
})
