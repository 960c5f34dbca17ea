import { expect, test } from 'vitest'
import { manualClock } from '../testing/manual-clock.ts'
import { Settler } from './settler.ts'

interface Asked {
  atMs: number
  answer(repeat: boolean): Promise<void>
}

function setUp(): { clock: ReturnType<typeof manualClock>; asked: Asked[]; failures: string[]; settler: Settler } {
  const clock = manualClock()
  const asked: Asked[] = []
  const failures: string[] = []
  const settler = new Settler({
    clock,
    heartbeatMs: 60,
    stallTimeoutMs: 1000,
    ask: (atMs) =>
      new Promise((resolve) => {
        asked.push({
          atMs,
          async answer(repeat) {
            resolve(repeat)
            await clock.advance(0)
          },
        })
      }),
    failed: (error) => failures.push(error.message),
  })
  return { clock, asked, failures, settler }
}

test('all that piles up while a question is out becomes one more question', async () => {
  const { asked, settler, clock } = setUp()
  settler.request()
  for (let commit = 0; commit < 100; commit++) settler.request()
  expect(asked).toHaveLength(1)
  await asked[0]!.answer(false)
  expect(asked).toHaveLength(2)
  await asked[1]!.answer(false)
  expect(asked).toHaveLength(2)
  expect(clock.pending).toBe(1)
})

test('idle, it asks once a heartbeat, counted from the last answer', async () => {
  const { asked, settler, clock } = setUp()
  settler.request()
  await asked[0]!.answer(false)
  await clock.advance(59)
  settler.request()
  await asked[1]!.answer(false)
  await clock.advance(59)
  expect(asked).toHaveLength(2)
  await clock.advance(1)
  expect(asked.map(({ atMs }) => atMs)).toEqual([0, 59, 119])
})

test('while something is not visible it asks again soon, then less often', async () => {
  const { asked, settler, clock } = setUp()
  settler.request()
  for (let turn = 0; turn < 9; turn++) {
    await asked.at(-1)!.answer(true)
    await clock.advance(20)
    // The next question waits for its answer: time that passes meanwhile does not count.
  }
  const gaps = asked.slice(1).map(({ atMs }, index) => atMs - asked[index]!.atMs)
  expect(gaps[0]).toBe(1)
  expect(gaps.at(-1)).toBe(20)
})

test('a question without an answer fails the session; many quick ones in a row do not', async () => {
  const { asked, settler, clock, failures } = setUp()
  settler.request()
  for (let turn = 0; turn < 30; turn++) {
    settler.request()
    await clock.advance(100)
    await asked.at(-1)!.answer(false)
  }
  expect(failures).toEqual([])
  await clock.advance(1000)
  expect(failures).toEqual(['the server did not answer within 1000 ms'])
})

test('stopped, it asks nothing more', async () => {
  const { asked, settler, clock } = setUp()
  settler.request()
  settler.stop()
  await asked[0]!.answer(true)
  settler.request()
  await clock.advance(1000)
  expect(asked).toHaveLength(1)
  expect(clock.pending).toBe(0)
})
