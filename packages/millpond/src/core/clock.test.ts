import { expect, test } from 'vitest'
import { manualClock } from '../testing/manual-clock.ts'
import { sleep, systemClock, timeLimit } from './clock.ts'

const never = () => new Promise<string>(() => {})
const late = () => 'late'

test('work that ends within its limit gives what it gives or throws, and no timer is left', async () => {
  const clock = manualClock()
  expect(await timeLimit(clock, 10, async () => 'done', late)).toBe('done')
  expect(await timeLimit(clock, 10, () => 'at once', late)).toBe('at once')
  const error = new Error('failed')
  await expect(timeLimit(clock, 10, () => Promise.reject(error), late)).rejects.toBe(error)
  const thrown = timeLimit(
    clock,
    10,
    () => {
      throw error
    },
    late,
  )
  await expect(thrown).rejects.toBe(error)
  expect(clock.pending).toBe(0)
})

test('past the limit `late` decides', async () => {
  const clock = manualClock()
  const error = new Error('too late')
  const told = timeLimit(clock, 10, never, late)
  const thrown = timeLimit(clock, 10, never, () => {
    throw error
  })
  clock.advanceNow(10)
  expect(await told).toBe('late')
  await expect(thrown).rejects.toBe(error)
})

test('without a limit there is no timer', async () => {
  const clock = manualClock()
  void timeLimit(clock, Number.POSITIVE_INFINITY, never, late)
  expect(clock.pending).toBe(0)
  expect(await timeLimit(clock, Number.POSITIVE_INFINITY, () => 'done', late)).toBe('done')
})

/** Timers that keep this process alive. */
const holding = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

test('a timer keeps the process alive only while somebody waits for what it does', async () => {
  const before = holding()
  const loose = systemClock.after(60_000, () => {})
  expect(holding()).toBe(before)
  const firm = systemClock.after(60_000, () => {}, true)
  expect(holding()).toBe(before + 1)
  firm.cancel()
  loose.cancel()
  let end = (_: string): void => {}
  const limited = timeLimit(systemClock, 60_000, () => new Promise<string>((resolve) => (end = resolve)), late)
  expect(holding()).toBe(before + 1)
  end('done')
  expect(await limited).toBe('done')
  expect(holding()).toBe(before)
  const slept = sleep(systemClock, 1)
  expect(holding()).toBe(before + 1)
  await slept
})
