import { expect, it } from 'vitest'
import { median, quantile, ratio, spread } from './statistics.ts'

it('takes the middle figure, or the middle of the middle two', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 2, 3])).toBe(2.5)
})

it('finds quartiles between neighbours, whatever the order', () => {
  expect(spread([50, 10, 30, 20, 40])).toEqual({ median: 30, low: 20, high: 40 })
  expect(quantile([0, 10], 0.25)).toBe(2.5)
  expect(quantile([7], 0.9)).toBe(7)
})

it('sorts figures as numbers', () => {
  expect(median([100, 9, 20])).toBe(20)
})

it('is not moved by one slow round', () => {
  expect(spread([10, 10, 10, 10, 5000]).median).toBe(10)
})

it('takes the ratio round by round, so that a slow machine cancels', () => {
  // The machine is ten times slower in the second round: the ratio of the medians would be 20 / 15.
  expect(ratio([10, 200, 20], [5, 100, 10])).toEqual({ median: 2, low: 2, high: 2 })
})

it('refuses what has no answer', () => {
  expect(() => median([])).toThrow(RangeError)
  expect(() => ratio([1, 2], [1])).toThrow(/do not pair/)
})
