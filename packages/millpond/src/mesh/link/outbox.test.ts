import { expect, test } from 'vitest'
import { wholeSequence } from './outbox.ts'

test.each([
  [0, 1, 1],
  [100, 90, 90],
  [2 ** 32 - 2, 1, 2 ** 32 + 1],
  [2 ** 32 + 5, 2 ** 32 - 3, 2 ** 32 - 3],
  [7 * 2 ** 32 + 17, 20, 7 * 2 ** 32 + 20],
  [3, 2 ** 32 - 1, 0],
])('near %i the 32 bits %i mean %i', (near, low, whole) => {
  expect(wholeSequence(near, low)).toBe(whole)
})
