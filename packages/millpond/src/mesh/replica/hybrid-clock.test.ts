import { expect, test } from 'vitest'
import { manualClock } from '../../testing/manual-clock.ts'
import { HybridClock, timeOf, timestampOf } from './hybrid-clock.ts'

const DAY = Date.UTC(2026, 0, 1)

test('moments grow, also within a millisecond and when the wall goes back, and stay near the wall', () => {
  const clock = manualClock(DAY)
  const hybrid = new HybridClock(clock, 500)
  let last = 0
  for (let turn = 0; turn < 20_000; turn++) {
    const now = hybrid.now()
    expect(now).toBeGreaterThan(last)
    last = now
    if (turn === 10_000) clock.jumpWall(-3_600_000)
  }
  // 20,000 moments take 5 ms of counters.
  expect(timeOf(last) - DAY).toBeLessThanOrEqual(5)
  clock.jumpWall(7_200_000)
  expect(timeOf(hybrid.now())).toBe(DAY + 3_600_000)
})

test('what was observed is earlier than what comes after, within the guard', () => {
  const clock = manualClock(DAY)
  const hybrid = new HybridClock(clock, 500)
  const seen = timestampOf(DAY + 500) + 7
  expect(hybrid.observe(seen)).toBe(0)
  expect(hybrid.now()).toBe(seen + 1)
  expect(hybrid.observe(timestampOf(DAY - 86_400_000))).toBe(0)
  expect(hybrid.now()).toBe(seen + 2)
})

test('a clock that is hours ahead is told of, and followed to the guard only', () => {
  const clock = manualClock(DAY)
  const hybrid = new HybridClock(clock, 500)
  expect(hybrid.observe(timestampOf(DAY + 7_200_000))).toBe(7_200_000)
  expect(timeOf(hybrid.now())).toBe(DAY + 500)
  expect(hybrid.observe(timestampOf(DAY + 7_200_000))).toBe(7_200_000)
  expect(timeOf(hybrid.now())).toBe(DAY + 500)
  clock.advanceNow(1000)
  expect(timeOf(hybrid.now())).toBe(DAY + 1000)
})

test('a moment is a safe integer until 2089, and 0 before 2020', () => {
  expect(Number.isSafeInteger(timestampOf(Date.UTC(2089, 0, 1)))).toBe(true)
  expect(timestampOf(Date.UTC(2001, 0, 1))).toBe(0)
})
