import { expect, test } from 'vitest'
import { LimitError, Meter } from './meter.ts'

/** How many operations of so many tried are let through. */
function through(meter: Meter, tried: number, nowMs: number): number {
  let count = 0
  for (let at = 0; at < tried; at++) {
    try {
      meter.operation(nowMs)
      count++
    } catch (error) {
      expect(error).toBeInstanceOf(LimitError)
    }
  }
  return count
}

test('operations: a second of them at once, then as many as come', () => {
  const meter = new Meter("cache 'shop'", { operations: 100, bytesIn: Infinity, bytesOut: Infinity }, 0)
  expect(through(meter, 150, 0)).toBe(100)
  expect(meter.refused).toBe(50)
  expect(through(meter, 10, 50)).toBe(5)
  expect(through(meter, 200, 60_000)).toBe(100)
})

test('the refusal says what was used up, and when to come again', () => {
  const meter = new Meter("token 'app'", { operations: 2, bytesIn: Infinity, bytesOut: Infinity }, 0)
  through(meter, 2, 0)
  try {
    meter.operation(0)
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({
      code: 'LIMIT',
      message: "token 'app' has used up its 2 operations a second; try again in 500 ms",
      retryAfterMs: 500,
    })
  }
})

test('bytes are owed, and nothing is let through until they are paid', () => {
  const meter = new Meter("cache 'shop'", { operations: Infinity, bytesIn: 1000, bytesOut: 500 }, 0)
  meter.operation(0)
  meter.bytes(3000, 0)
  expect(() => meter.operation(1000)).toThrow('1000 bytes in a second; try again in 1000 ms')
  meter.operation(2000)
  meter.bytes(0, 1000)
  expect(() => meter.operation(2000)).toThrow('500 bytes out a second')
  meter.operation(3000)
})

test('a clock that goes back gives nothing', () => {
  const meter = new Meter('it', { operations: 1, bytesIn: Infinity, bytesOut: Infinity }, 5000)
  expect(through(meter, 2, 5000)).toBe(1)
  expect(through(meter, 2, 0)).toBe(0)
  expect(through(meter, 2, 1000)).toBe(1)
})
