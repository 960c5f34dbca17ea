import { expect, test } from 'vitest'
import { estimateBytes } from './weigher.ts'

test.each([
  ['a number', 5, 80, 120],
  ['nothing', undefined, 80, 120],
  ['text', 'x'.repeat(1000), 1000, 1200],
  ['bytes', new Uint8Array(1000), 1000, 1300],
  ['a view of part of a buffer', new Uint8Array(new ArrayBuffer(100_000), 0, 10), 100, 300],
  [
    'an object of ten texts',
    Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`field${at}`, 'x'.repeat(50)])),
    600,
    1200,
  ],
  ['a list of a thousand rows', Array.from({ length: 1000 }, (_, id) => ({ id, name: 'abc' })), 40_000, 120_000],
  ['a map', new Map(Array.from({ length: 100 }, (_, at) => [`k${at}`, at])), 3000, 12_000],
])('%s weighs about what it takes', (_, value, least, most) => {
  const bytes = estimateBytes('key', value)
  expect(bytes).toBeGreaterThanOrEqual(least)
  expect(bytes).toBeLessThanOrEqual(most)
})

test('costs no more for a large collection, and ends for a ring', () => {
  let looked = 0
  const rows = new Proxy(
    Array.from({ length: 100_000 }, () => 'row'),
    {
      get(target, name) {
        if (typeof name === 'string' && /^\d+$/.test(name)) looked++
        return Reflect.get(target, name)
      },
    },
  )
  expect(estimateBytes('key', rows)).toBeGreaterThan(1e6)
  expect(looked).toBeLessThan(100)
  const ring: { self?: unknown } = {}
  ring.self = ring
  expect(estimateBytes('key', ring)).toBeGreaterThan(0)
})
