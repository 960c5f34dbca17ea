import { expect, test } from 'vitest'
import { StringHash } from './hash.ts'

test('the same seed gives the same hashes, another seed others, none a random one', () => {
  expect(new StringHash(1).of('key')).toBe(new StringHash(1).of('key'))
  expect(new StringHash(1).of('key')).not.toBe(new StringHash(2).of('key'))
  expect(new StringHash().of('key')).not.toBe(new StringHash().of('key'))
})

test('similar keys spread evenly over buckets', () => {
  const hash = new StringHash(3)
  const buckets = new Int32Array(1024)
  for (let id = 0; id < 102_400; id++) buckets[hash.of(`user:${id}`) & 1023]!++
  const chi = buckets.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)
  // 1023 degrees of freedom: five standard deviations.
  expect(chi).toBeLessThan(1023 + 5 * Math.sqrt(2 * 1023))
})

test('every character counts, at the end of odd and even lengths too, and so does the length', () => {
  const hash = new StringHash(4)
  const seen = new Set<number>()
  const texts = [
    '',
    '\0',
    '\0\0',
    '\0\0\0',
    'a',
    'aa',
    'aaa',
    'b',
    'ab',
    'ba',
    'aab',
    'aba',
    'baa',
    '\u8000',
    'a\u8000',
    '\u8000a',
  ]
  for (const text of texts) seen.add(hash.of(text))
  expect(seen.size).toBe(texts.length)
})

test('a difference in the top bit, cancelled by the next characters, collides for no choice of seed', () => {
  // What breaks a hash of one multiplication a step: the difference passes through it unchanged for every multiplier.
  let collisions = 0
  for (let seed = 0; seed < 2000; seed++) {
    const hash = new StringHash(seed)
    if (hash.of('ab\u0063\u0064ef') === hash.of('a\u8062\u0063\u8065ef')) collisions++
    if (hash.of('abcdef') === hash.of('a\u8062c\u8064ef')) collisions++
  }
  expect(collisions).toBe(0)
})
