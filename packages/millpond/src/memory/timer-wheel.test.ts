import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TimerWheel } from './timer-wheel.ts'

const EVER = Number.POSITIVE_INFINITY

/** Everything that comes out by `nowMs`, however little is done at a time. */
function drain(wheel: TimerWheel, nowMs: number, budget = EVER): number[] {
  const slots: number[] = []
  while (!wheel.advance(nowMs, budget, (slot) => slots.push(slot)));
  return slots
}

describe('the timer wheel', () => {
  test('gives out each slot once, never early, at most a bucket late', () => {
    const day = 86_400_000
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.integer({ min: 0, max: 5000 }),
            fc.integer({ min: 0, max: day }),
            fc.integer({ min: 0, max: 4000 * day }),
          ),
          { maxLength: 60 },
        ),
        fc.array(
          fc.oneof(
            fc.integer({ min: 1, max: 200 }),
            fc.integer({ min: 1, max: day }),
            fc.integer({ min: 1, max: 900 * day }),
          ),
          { maxLength: 30 },
        ),
        fc.integer({ min: 1, max: 9 }),
        (ttls, steps, budget) => {
          const wheel = new TimerWheel(ttls.length, 1000)
          for (const [slot, ttl] of ttls.entries()) wheel.schedule(slot, 1000 + ttl, 1000)
          const seen = new Set<number>()
          let nowMs = 1000
          for (const step of [...steps, 9000 * day]) {
            nowMs += step
            for (const slot of drain(wheel, nowMs, budget)) {
              expect(seen.has(slot)).toBe(false)
              expect(wheel.deadlines[slot]).toBeLessThanOrEqual(nowMs)
              seen.add(slot)
            }
            for (const [slot, ttl] of ttls.entries()) if (1000 + ttl <= nowMs - 64) expect(seen.has(slot)).toBe(true)
          }
          expect(seen.size).toBe(ttls.length)
          expect(wheel.size).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a later deadline is one store, an earlier one moves the slot, none lets it go', () => {
    const wheel = new TimerWheel(3, 0)
    for (let slot = 0; slot < 3; slot++) wheel.schedule(slot, 100_000, 0)
    wheel.schedule(0, 500_000, 10)
    wheel.schedule(1, 2000, 10)
    wheel.schedule(2, EVER, 10)
    expect(drain(wheel, 2064)).toEqual([1])
    expect(drain(wheel, 499_000)).toEqual([])
    expect(drain(wheel, 500_064)).toEqual([0])
    expect(wheel.size).toBe(0)
  })

  test('work is bounded: a budget of 10 looks at no more than 10 slots and goes on the next time', () => {
    const wheel = new TimerWheel(1000, 0)
    for (let slot = 0; slot < 1000; slot++) wheel.schedule(slot, 50, 0)
    let seen = 0
    expect(wheel.advance(1e9, 10, () => void seen++)).toBe(false)
    expect(seen).toBeLessThanOrEqual(10)
    expect(drain(wheel, 1e9, 10).length + seen).toBe(1000)
  })

  test('a jump of a hundred years costs a handful of steps', () => {
    const wheel = new TimerWheel(1, 0)
    wheel.schedule(0, 3.15e12, 0)
    let calls = 0
    const seen: number[] = []
    while (!wheel.advance(3.2e12, 100, (slot) => seen.push(slot))) calls++
    expect(seen).toEqual([0])
    expect(calls).toBeLessThan(10)
  })

  test('time that goes back breaks nothing and gives nothing out early', () => {
    const wheel = new TimerWheel(2, 1_000_000)
    wheel.schedule(0, 1_005_000, 1_000_000)
    expect(drain(wheel, 1_004_000)).toEqual([])
    wheel.schedule(1, 901_000, 900_000)
    expect(drain(wheel, 900_500)).toEqual([])
    expect(drain(wheel, 1_006_000).sort()).toEqual([0, 1])
  })

  test('says when there is work next', () => {
    const wheel = new TimerWheel(2, 0)
    expect(wheel.nextMs()).toBe(EVER)
    wheel.schedule(0, 1000, 0)
    expect(wheel.nextMs()).toBe(1024)
    wheel.schedule(1, 3_600_000, 0)
    expect(wheel.nextMs()).toBe(1024)
    drain(wheel, 1024)
    expect(wheel.nextMs()).toBeLessThanOrEqual(3_600_000)
  })
})
