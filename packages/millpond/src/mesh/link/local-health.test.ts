import { expect, test } from 'vitest'
import { LocalHealth } from './local-health.ts'

test('time in which the event loop was blocked does not count', () => {
  const health = new LocalHealth(0)
  health.timer(100, 2)
  expect(health.attentiveMs(150)).toBe(150)
  health.timer(1300, 1000)
  expect(health.attentiveMs(1400)).toBe(400)
})

test('each blockage makes it slower to judge, up to four times, and a quiet second each takes that back', () => {
  const health = new LocalHealth(0)
  const multipliers: number[] = []
  for (let at = 1; at <= 5; at++) {
    health.timer(at * 200, 150)
    multipliers.push(health.multiplier)
  }
  for (let at = 1; at <= 5; at++) {
    health.timer(1000 + at * 1001, 90)
    multipliers.push(health.multiplier)
  }
  expect(multipliers).toEqual([2, 3, 4, 4, 4, 3, 2, 1, 1, 1])
})

test('says how late it was lately', () => {
  const health = new LocalHealth(0)
  health.timer(1000, 80)
  expect(health.lagMs(1000)).toBe(80)
  expect(health.lagMs(3000)).toBe(20)
  health.timer(3000, 10)
  expect(health.lagMs(3000)).toBe(20)
  health.timer(3000, 30)
  expect(health.lagMs(4000)).toBe(15)
})
