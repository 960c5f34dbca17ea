import { expect, test } from 'vitest'
import { Guesses } from './guesses.ts'

test('the answers to wrong passwords take longer and longer, up to a bound, and are forgotten', () => {
  const guesses = new Guesses()
  const delays: number[] = []
  let nowMs = 0
  for (let at = 0; at < 13; at++) {
    const delayMs = guesses.failed('10.0.0.1:5000', nowMs)
    delays.push(delayMs)
    nowMs += delayMs
  }
  expect(delays).toEqual([0, 0, 0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
  expect(guesses.failed('10.0.0.1:5000', nowMs + 60_000)).toBe(0)
})

test('others are not told apart by port, and not held back for each other', () => {
  const guesses = new Guesses()
  for (let at = 0; at < 10; at++) guesses.failed(`10.0.0.1:${5000 + at}`, 0)
  expect(guesses.failed('10.0.0.1:9', 0)).toBe(5000)
  expect(guesses.failed('10.0.0.2:9', 0)).toBe(0)
})

test('many connections at once have no more guesses than a few', () => {
  const guesses = new Guesses()
  let looked = 0
  for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
    for (let at = 0; at < 10; at++) {
      if (guesses.heldFor('10.0.0.1:5000', nowMs) > 0) continue
      looked++
      guesses.failed('10.0.0.1:5000', nowMs)
    }
  }
  expect(looked).toBeGreaterThan(16)
  expect(looked).toBeLessThan(3 + 16 * (60 / 5 + 8))
  expect(guesses.heldFor('10.0.0.2:5000', 60_000)).toBe(0)
})

test('an IPv6 network is one origin, a mapped IPv4 address is itself', () => {
  const guesses = new Guesses()
  for (let at = 0; at < 4; at++) guesses.failed(`[2001:db8:1:2::${at + 1}]:80`, 0)
  expect(guesses.failed('[2001:db8:1:2:3:4:5:6]:80', 0)).toBe(100)
  expect(guesses.failed('[2001:db8:1:3::1]:80', 0)).toBe(0)
  for (let at = 0; at < 4; at++) guesses.failed('[::ffff:10.0.0.7]:80', 0)
  expect(guesses.failed('10.0.0.7:80', 0)).toBe(100)
  expect(guesses.failed('[::ffff:10.0.0.8]:80', 0)).toBe(0)
  expect(guesses.failed('[::1]:80', 0)).toBe(0)
})

test('what is remembered has a bound', () => {
  const guesses = new Guesses()
  for (let at = 0; at < 5; at++) guesses.failed('10.0.0.1:1', 0)
  for (let at = 0; at < 10_000; at++) guesses.failed(`host${at}:1`, 0)
  expect(guesses.failed('10.0.0.1:1', 0)).toBe(0)
})
