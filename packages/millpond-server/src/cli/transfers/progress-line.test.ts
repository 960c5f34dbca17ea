import { expect, test } from 'vitest'
import { progressText } from './progress-line.ts'

test('how far something is, as a bar where that is known', () => {
  const half = '███████████████░░░░░░░░░░░░░░░ 50 %  5,000 keys, 1,000 a second, about 5 s left'
  expect(progressText({ done: 5000, total: 10_000, bytes: 1 }, 5000)).toBe(half)
  expect(progressText({ done: 10_000, total: 10_000, bytes: 1 }, 5000)).toMatch(
    /^█{30} 100 % {2}10,000 keys, 2,000 a second$/,
  )
  expect(progressText({ done: 7, total: -1, bytes: 1 }, 1000)).toBe('7 keys, 7 a second')
})
