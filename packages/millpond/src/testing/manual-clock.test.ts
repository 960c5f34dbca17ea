import { describe, expect, it } from 'vitest'
import { manualClock } from './manual-clock.ts'

describe('manualClock', () => {
  it('fires timers in the order in which they are due, at their own time', async () => {
    const clock = manualClock()
    const fired: [string, number][] = []
    const note = (name: string) => () => void fired.push([name, clock.monotonic()])
    clock.after(30, note('c'))
    clock.after(10, note('a'))
    clock.after(10, note('b'))
    clock.after(31, note('late'))
    await clock.advance(30)
    expect(fired).toEqual([
      ['a', 10],
      ['b', 10],
      ['c', 30],
    ])
    expect(clock.pending).toBe(1)
    expect(clock.monotonic()).toBe(30)
  })

  it('lets promises run between timers, so that a timer set by one fires within the same advance', async () => {
    const clock = manualClock()
    const seen: number[] = []
    const pause = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve))
    const work = async () => {
      for (let round = 0; round < 3; round++) {
        await pause(10)
        seen.push(clock.monotonic())
      }
    }
    const done = work()
    await clock.advance(30)
    await done
    expect(seen).toEqual([10, 20, 30])
  })

  it('gives promises no turn in advanceNow', async () => {
    const clock = manualClock()
    let ran = false
    clock.after(5, () => void Promise.resolve().then(() => (ran = true)))
    clock.advanceNow(5)
    expect(ran).toBe(false)
    await clock.advance(0)
    expect(ran).toBe(true)
  })

  it('does not fire what was cancelled', async () => {
    const clock = manualClock()
    let fired = false
    const timer = clock.after(1, () => (fired = true))
    timer.cancel()
    await clock.advance(5)
    expect(fired).toBe(false)
    expect(clock.pending).toBe(0)
  })

  it('jumps the wall without touching the monotonic time', async () => {
    const clock = manualClock(1_000_000)
    await clock.advance(5)
    clock.jumpWall(-3_600_000)
    expect(clock.wall()).toBe(1_000_005 - 3_600_000)
    expect(clock.monotonic()).toBe(5)
  })
})
