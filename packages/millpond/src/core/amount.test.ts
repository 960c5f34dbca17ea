import { expect, test } from 'vitest'
import { type Duration, durationMs, positiveMs } from './duration.ts'
import { type Size, sizeBytes } from './size.ts'

test('a duration is milliseconds, or a number with a unit', () => {
  const given: Duration[] = [0, 1.5, '250ms', '2s', '1.5m', '1h', '1d']
  expect(given.map((duration) => durationMs(duration, 'ttl'))).toEqual([
    0, 1.5, 250, 2000, 90_000, 3_600_000, 86_400_000,
  ])
})

test('what has to be more than 0 is not 0', () => {
  expect(positiveMs('1ms', 'x')).toBe(1)
  expect(() => positiveMs(0, 'x')).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option: 'x' }))
})

test('a size is bytes, or a number with a unit of 1024s, rounded down', () => {
  const given: Size[] = [1, 1.5, '10b', '1kb', '0.5mb', '2gb']
  expect(given.map((size) => sizeBytes(size, 'maxWeight'))).toEqual([1, 1, 10, 1024, 2 ** 19, 2 ** 31])
})

test.each([
  '5',
  '5 m',
  '5mins',
  'm',
  '-1s',
  '1e3s',
  '5constructor',
  '',
  Number.NaN,
  -1,
  Number.POSITIVE_INFINITY,
  null,
  {},
])('neither is %s', (given) => {
  const refusal = expect.objectContaining({ code: 'ERR_OPTION', option: 'x' })
  expect(() => durationMs(given as Duration, 'x')).toThrow(refusal)
  expect(() => sizeBytes(given as Size, 'x')).toThrow(refusal)
})
