import { expect, test } from 'vitest'
import { manualClock } from '../testing/manual-clock.ts'
import { Keeper, type Line } from './bus-keeper.ts'

interface Try {
  readonly signal: AbortSignal
  readonly onDown: (reason: unknown) => void
  succeed(): Try
  isClosed: boolean
}

function setup() {
  const clock = manualClock()
  const tries: Try[] = []
  const told: string[] = []
  const keeper = new Keeper({
    clock,
    limitMs: 3000,
    pauseMsMax: 1000,
    open: (onDown, signal) =>
      new Promise<Line>((resolve) => {
        const one: Try = {
          signal,
          onDown,
          isClosed: false,
          succeed() {
            resolve({ close: () => (one.isClosed = true) })
            return one
          },
        }
        tries.push(one)
      }),
    onUp: () => told.push('up'),
    onDown: (reason, wasUp) => told.push(`${wasUp ? 'down' : 'failed'}: ${String(reason)}`),
  })
  keeper.start()
  return { clock, tries, told, keeper }
}

test('a try that takes too long is given up, and closed should it succeed yet', async () => {
  const { clock, tries, told, keeper } = setup()
  await clock.advance(3000)
  expect(tries[0]!.signal.aborted).toBe(true)
  expect(told).toEqual([expect.stringContaining('failed: StoreError: subscribing took longer')])
  await clock.advance(100)
  tries[1]!.succeed()
  await clock.advance(0)
  tries[0]!.succeed()
  await clock.advance(0)
  expect(told.slice(1)).toEqual(['up'])
  expect([tries[0]!.isClosed, tries[1]!.isClosed, keeper.isUp]).toEqual([true, false, true])
})

test('a line that ended is replaced at once, and what it says afterwards is not heard', async () => {
  const { clock, tries, told } = setup()
  const first = tries[0]!.succeed()
  await clock.advance(0)
  first.onDown('reset')
  first.onDown('again')
  await clock.advance(0)
  tries[1]!.succeed()
  await clock.advance(0)
  first.onDown('late')
  expect(told).toEqual(['up', 'down: reset', 'up'])
  expect(tries).toHaveLength(2)
})

test('what is closed opens nothing any more', async () => {
  const { clock, tries, told, keeper } = setup()
  keeper.close()
  expect(tries[0]!.signal.aborted).toBe(true)
  const late = tries[0]!.succeed()
  await clock.advance(60_000)
  expect([late.isClosed, keeper.isUp, tries.length, told]).toEqual([true, false, 1, []])
  expect(clock.pending).toBe(0)
})
