import { describe, expect, test } from 'vitest'
import { OptionError } from '../core/errors.ts'
import { DEFAULT_LIFE, freshMsOf, resolveLife, tagList } from './life.ts'

describe('resolveLife', () => {
  test('without options the defaults are handed back as they are', () => {
    expect(resolveLife(undefined, DEFAULT_LIFE)).toBe(DEFAULT_LIFE)
  })

  test('options replace, tags are added, each once', () => {
    const defaults = resolveLife({ ttl: '1m', tags: ['a'] }, DEFAULT_LIFE)
    const life = resolveLife({ staleIfError: '1s', tags: ['b', 'a'] }, defaults)
    expect(life).toMatchObject({ ttl: '1m', staleIfErrorMs: 1000, tags: ['a', 'b'] })
    expect(resolveLife({ tags: [] }, defaults).tags).toBe(defaults.tags)
    for (const given of [defaults, DEFAULT_LIFE])
      expect(resolveLife({ tags: 'user:17' as never }, given).tags).toEqual([...given.tags, 'user:17'])
  })

  test('what cannot be used is refused', () => {
    for (const options of [
      { ttl: 0 },
      { idle: 0 },
      { jitter: 1.1 },
      { weight: -1 },
      { tags: [''] },
      { softTimeout: -1 },
    ])
      expect(() => resolveLife(options, DEFAULT_LIFE)).toThrow(OptionError)
  })
})

describe('freshMsOf', () => {
  const half = () => 0.5
  test.each([
    [{ ttl: 1000 }, 'value', 1000],
    [{ ttl: 'forever' as const, jitter: 1 }, 'value', Number.POSITIVE_INFINITY],
    [{ ttl: 1000, jitter: 0.2 }, 'value', 900],
    [{ ttl: () => '2s' as const }, 'value', 2000],
    [{ ttl: 1000, negativeTtl: 10 }, undefined, 10],
    [{ ttl: 1000, negativeTtl: 10 }, null, 10],
    [{ ttl: 1000, negativeTtl: 10 }, 0, 1000],
    [{ ttl: 1000 }, undefined, 1000],
  ])('%o of %s', (options, value, ms) => {
    expect(freshMsOf(value, resolveLife(options, DEFAULT_LIFE), half)).toBe(ms)
  })

  test('a function that gives what cannot be used is told so', () => {
    const life = resolveLife({ ttl: () => 0 }, DEFAULT_LIFE)
    expect(() => freshMsOf(1, life, half)).toThrow(expect.objectContaining({ option: 'ttl' }))
  })
})

test('a tag is text that is not empty, and not one of ours', () => {
  expect(tagList('a')).toEqual(['a'])
  expect(tagList(['a', ':*'])).toEqual(['a', ':*'])
  for (const tag of ['', '\0feed', 5 as never]) expect(() => tagList([tag])).toThrow(OptionError)
})
