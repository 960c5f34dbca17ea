import { expect, test } from 'vitest'
import { RoundTrip, sinceStamp, stamp } from './round-trip.ts'

test('is the median of the last nine', () => {
  const trip = new RoundTrip()
  expect(trip.medianMs).toBeUndefined()
  for (const ms of [5, 1, 100]) trip.add(ms)
  expect(trip.medianMs).toBe(5)
  for (let at = 0; at < 9; at++) trip.add(2)
  expect(trip.medianMs).toBe(2)
})

test('timers go by the shortest, and are not misled by a peer that stood still', () => {
  const trip = new RoundTrip()
  expect(trip.timerMs).toBe(1)
  trip.add(1200)
  expect(trip.timerMs).toBe(50)
  trip.add(0.2)
  trip.add(3)
  expect(trip.timerMs).toBe(0.2)
})

test('a stamp says how long ago it was, across its end', () => {
  const endMs = 2 ** 32 / 100
  for (const nowMs of [0, 17.25, endMs - 1, 5 * endMs + 3]) {
    expect(stamp(nowMs)).toBeGreaterThan(0)
    expect(sinceStamp(stamp(nowMs), nowMs + 12.5)).toBeCloseTo(12.5, 1)
  }
})
