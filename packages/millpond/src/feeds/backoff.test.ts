import { expect, test } from 'vitest'
import { manualClock } from '../testing/manual-clock.ts'
import { Backoff } from './backoff.ts'

test('each wait is twice as long, up to two seconds, and can be cut short', async () => {
  const clock = manualClock()
  const backoff = new Backoff(clock, () => 1)
  const lengths: number[] = []
  for (let attempt = 0; attempt < 10; attempt++) {
    const from = clock.monotonic()
    let over = false
    const wait = backoff.wait(false, false).then(() => {
      over = true
    })
    while (!over) await clock.advance(1)
    await wait
    lengths.push(clock.monotonic() - from)
  }
  expect(lengths).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000])
  const long = backoff.wait(true, false)
  backoff.skip()
  await long
  expect(clock.pending).toBe(0)
  backoff.reset()
  const short = backoff.wait(false, false)
  await clock.advance(10)
  await short
})
