import { expect, it } from 'vitest'
import { CoarseTime } from './coarse-time.ts'

/** A clock whose time and timers the test moves apart, as a blocked event loop does. */
interface HeldClock {
  nowMs: number
  asked: number
  time: CoarseTime
  fire(): void
}

function heldClock(): HeldClock {
  const timers: (() => void)[] = []
  const clock: HeldClock = {
    nowMs: 1000,
    asked: 0,
    time: new CoarseTime(
      () => {
        clock.asked++
        return clock.nowMs
      },
      (_delayMs, run) => timers.push(run),
    ),
    fire() {
      for (const run of timers.splice(0)) run()
    },
  }
  return clock
}

const read = (reads: CoarseTime, times: number): void => {
  for (let i = 0; i < times; i++) reads.nowMs()
}

it('asks at every read while reads are few', () => {
  const clock = heldClock()
  const reads = clock.time
  for (let i = 0; i < 500; i++) {
    clock.nowMs += 0.5
    expect(reads.nowMs()).toBe(clock.nowMs)
  }
})

it('asks once for sixteen reads in a burst', () => {
  const clock = heldClock()
  const reads = clock.time
  read(reads, 65)
  clock.asked = 0
  read(reads, 1600)
  expect(clock.asked).toBe(100)
})

it('is at most fifteen reads behind where the event loop is blocked in a burst', () => {
  const clock = heldClock()
  const reads = clock.time
  read(reads, 66)
  clock.nowMs += 5000
  const behind = Array.from({ length: 100 }, () => reads.nowMs()).filter((nowMs) => nowMs < clock.nowMs)
  expect(behind.length).toBeLessThanOrEqual(15)
})

it('never uses a time again once the event loop has come round', () => {
  const clock = heldClock()
  const reads = clock.time
  read(reads, 70)
  clock.nowMs += 60_000
  clock.fire()
  expect(reads.nowMs()).toBe(clock.nowMs)
  clock.nowMs += 0.25
  expect(reads.nowMs()).toBe(clock.nowMs)
})
