import { expect, test } from 'vitest'
import { manualClock } from '../../testing/manual-clock.ts'
import { Silence } from './silence.ts'

function setup() {
  const clock = manualClock()
  const told: number[] = []
  const silence = new Silence({ clock, limitMs: 1000, onSilence: () => told.push(clock.monotonic()) })
  return { clock, told, silence }
}
const never = () => new Promise<void>(() => {})

test('what is answered in time, or refused, is no silence, and no timer is left', async () => {
  const { clock, told, silence } = setup()
  expect(await silence.watch(Promise.resolve(5))).toBe(5)
  await expect(silence.watch(Promise.reject(new Error('refused')))).rejects.toThrow('refused')
  await clock.advance(60_000)
  expect([told, clock.pending]).toEqual([[], 0])
})

test('a command that is not answered is told once, a moment after the limit, though others are answered', async () => {
  const { clock, told, silence } = setup()
  await clock.advance(10)
  void silence.watch(never())
  for (let at = 0; at < 10; at++) {
    void silence.watch(Promise.resolve())
    await clock.advance(90)
  }
  expect(told).toEqual([])
  await clock.advance(5000)
  expect(told).toEqual([1060])
})

test('an answer that was there, but not yet read, is no silence', async () => {
  const { clock, told, silence } = setup()
  let answer = (): void => {}
  void silence.watch(new Promise<void>((resolve) => (answer = resolve)))
  await clock.advance(1000)
  answer()
  await clock.advance(5000)
  expect(told).toEqual([])
})

test('later commands have the whole time for themselves', async () => {
  const { clock, told, silence } = setup()
  let answer = (): void => {}
  void silence.watch(new Promise<void>((resolve) => (answer = resolve)))
  await clock.advance(900)
  void silence.watch(never())
  answer()
  await clock.advance(1040)
  expect(told).toEqual([])
  await clock.advance(20)
  expect(told).toEqual([1950])
})

test('after stop nothing is told', async () => {
  const { clock, told, silence } = setup()
  void silence.watch(never())
  silence.stop()
  await clock.advance(5000)
  expect([told, clock.pending]).toEqual([[], 0])
})
