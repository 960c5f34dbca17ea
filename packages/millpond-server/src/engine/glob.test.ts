import { describe, expect, test } from 'vitest'
import { Glob } from './glob.ts'

describe('a pattern', () => {
  test.each([
    ['hello', 'hello', true],
    ['hello', 'hallo', false],
    ['h?llo', 'hallo', true],
    ['h?llo', 'hllo', false],
    ['h*llo', 'heeeello', true],
    ['h*', 'h', true],
    ['*', 'anything', true],
    ['**', 'a', true],
    ['h[ae]llo', 'hello', true],
    ['h[ae]llo', 'hillo', false],
    ['h[^e]llo', 'hallo', true],
    ['h[^e]llo', 'hello', false],
    ['h[a-c]llo', 'hbllo', true],
    ['h[c-a]llo', 'hbllo', true],
    ['h[a-c]llo', 'hdllo', false],
    ['a[\\]]b', 'a]b', true],
    ['a[bc', 'ac', true],
    ['a[', 'a[', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\', 'a\\', true],
    ['[^]', 'a', true],
    ['', '', true],
    ['*', '', false],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'aXbYd', false],
    ['\xff?', '\xff\0', true],
  ])('%s asked of %s', (pattern, text, expected) => {
    expect(new Glob(pattern).matches(text)).toBe(expected)
  })

  test('may leave capitals aside', () => {
    expect(new Glob('MAX*[A-C]', true).matches('maxmemory-b')).toBe(true)
    expect(new Glob('PLAIN', true).matches('Plain')).toBe(true)
    expect(new Glob('MAX*').matches('maxmemory')).toBe(false)
  })

  test('with many stars takes no time beyond length times length', () => {
    const text = 'a'.repeat(20_000)
    expect(new Glob(`${'a*'.repeat(30)}b`).matches(text)).toBe(false)
  })
})
