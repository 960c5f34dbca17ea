import { expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import { isLoud, nakDelayMs } from './nak-delay.ts'

test('a small group waits 1 to 3 ms, and asks quietly', () => {
  const random = seededRandom(1)
  const waits = Array.from({ length: 1000 }, () => nakDelayMs(4, 0.2, random))
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1)
  expect(Math.max(...waits)).toBeLessThan(3)
  expect(isLoud(4)).toBe(false)
  expect(isLoud(5)).toBe(true)
})

test.each([5, 32, 200])('of %i peers that miss the same, few ask before they hear the first', (peers) => {
  const random = seededRandom(peers)
  const roundTripMs = 1
  let asked = 0
  for (let round = 0; round < 1000; round++) {
    const waits = Array.from({ length: peers }, () => nakDelayMs(peers, roundTripMs, random)).sort((a, b) => a - b)
    asked += waits.filter((ms) => ms < waits[0]! + roundTripMs / 2).length
    expect(waits[0]).toBeGreaterThanOrEqual(1)
    expect(waits.at(-1)).toBeLessThanOrEqual(1 + 4 * roundTripMs)
  }
  // Spread evenly, of 200 peers 25 would ask.
  expect(asked / 1000).toBeLessThan(4)
})

test('grows with the round trip, to a bound', () => {
  expect(nakDelayMs(10, 2, () => 0.999_999)).toBeCloseTo(9, 1)
  expect(nakDelayMs(10, 200, () => 0.999_999)).toBeCloseTo(17, 1)
})
