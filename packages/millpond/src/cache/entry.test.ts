import { describe, expect, test } from 'vitest'
import { expireEntry, freshUntilMs, keepUntilMs, makeEntry, standing } from './entry.ts'
import { DEFAULT_LIFE, resolveLife } from './life.ts'
import type { EntryOptions } from './options.ts'

const HOLD = { began: 1, tags: [], fed: false }
const never = () => 0

/** An entry made at 1000 by a load of 100 ms, fresh for 1000 ms. */
function entryOf(options: EntryOptions, freshMs = 1000) {
  const life = resolveLife(options, DEFAULT_LIFE)
  return makeEntry('sealed', true, HOLD, life, { nowMs: 1000, loadedAtMs: 900, freshMs })
}

test.each<[string, EntryOptions, [atMs: number, standing: string][]]>([
  ['ttl alone', {}, [[1999, 'fresh'], [2000, 'gone']]], // biome-ignore format: one line
  [
    'staleWhileRevalidate',
    { staleWhileRevalidate: 500 },
    [
      [1999, 'fresh'],
      [2000, 'stale'],
      [2499, 'stale'],
      [2500, 'gone'],
    ],
  ],
  [
    'staleIfError',
    { staleIfError: 500 },
    [
      [2000, 'fallback'],
      [2499, 'fallback'],
      [2500, 'gone'],
    ],
  ],
  [
    'both stale windows',
    { staleWhileRevalidate: 200, staleIfError: 500 },
    [
      [2199, 'stale'],
      [2200, 'fallback'],
      [2500, 'gone'],
    ],
  ],
  [
    'refreshAhead',
    { refreshAhead: 0.75 },
    [
      [1749, 'fresh'],
      [1750, 'renew'],
      [2000, 'gone'],
    ],
  ],
])('%s', (_, options, expected) => {
  const entry = entryOf(options)
  expect(expected.map(([atMs]) => [atMs, standing(entry, atMs, never)])).toEqual(expected)
})

test('early expiration renews when the paper says so', () => {
  const entry = entryOf({ earlyExpiration: 2 })
  // XFetch: now - loadMs * beta * ln(chance) >= end, where chance is in (0, 1].
  for (const chance of [0.01, 0.3, 0.5, 0.9, 0.999]) {
    for (const atMs of [1100, 1500, 1900, 1990]) {
      const renews = atMs - 100 * 2 * Math.log(chance) >= 2000
      expect(standing(entry, atMs, () => 1 - chance)).toBe(renews ? 'renew' : 'fresh')
    }
  }
})

test('for ever has no end, no stale window and no early renewal', () => {
  const options = { refreshAhead: 0.5, earlyExpiration: 5, staleWhileRevalidate: 100 }
  const entry = entryOf(options, Number.POSITIVE_INFINITY)
  expect(standing(entry, 1e15, () => 0.999999)).toBe('fresh')
  expect(keepUntilMs(entry)).toBe(Number.POSITIVE_INFINITY)
})

test('an entry that is expired keeps its stale windows', () => {
  const entry = entryOf({ staleWhileRevalidate: 200, staleIfError: 500 })
  expect(keepUntilMs(entry)).toBe(2500)
  expireEntry(entry)
  expect([standing(entry, 1001, never), standing(entry, 2300, never)]).toEqual(['stale', 'fallback'])
  expect(freshUntilMs(entry)).toBe(Number.NEGATIVE_INFINITY)
  const plain = entryOf({})
  expireEntry(plain)
  expect(standing(plain, 1001, never)).toBe('gone')
})

describe('what only some entries need', () => {
  test('is not there for a plain ttl, and is for an etag', () => {
    expect(entryOf({}).extra).toBeUndefined()
    const times = { nowMs: 0, loadedAtMs: 0, freshMs: 10, etag: 'W/"1"' }
    expect(makeEntry('sealed', true, HOLD, DEFAULT_LIFE, times).extra?.etag).toBe('W/"1"')
  })
})
