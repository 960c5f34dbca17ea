import { expect, test } from 'vitest'
import { Watermark } from './watermark.ts'

test('freshness is proven when the stream reaches what the server named, never before', async () => {
  const watermark = new Watermark(10n)
  expect(watermark.freshAsOfMs).toBe(Number.NEGATIVE_INFINITY)
  watermark.expect(1000, 20n)
  watermark.expect(1010, 30n)
  watermark.expect(1020, 30n)
  expect([watermark.freshAsOfMs, watermark.waitingSinceMs]).toEqual([Number.NEGATIVE_INFINITY, 1000])
  const reached: [bigint, boolean][] = []
  const waits = [20n, 25n, 99n].map((position) =>
    watermark.reached(position).then((yes) => reached.push([position, yes])),
  )
  watermark.advance(19n)
  expect(watermark.freshAsOfMs).toBe(Number.NEGATIVE_INFINITY)
  watermark.advance(25n)
  watermark.advance(22n)
  expect([watermark.position, watermark.freshAsOfMs, watermark.waitingSinceMs]).toEqual([25n, 1000, 1020])
  await Promise.all(waits.slice(0, 2))
  watermark.advance(30n)
  expect([watermark.freshAsOfMs, watermark.waitingSinceMs]).toEqual([1020, undefined])
  watermark.expect(1030, 30n)
  expect(watermark.freshAsOfMs).toBe(1030)
  watermark.end()
  await Promise.all(waits)
  expect(reached).toEqual([
    [20n, true],
    [25n, true],
    [99n, false],
  ])
  expect(watermark.freshAsOfMs).toBe(Number.NEGATIVE_INFINITY)
})
