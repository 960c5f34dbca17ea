import { expect, test } from 'vitest'
import { Arrivals } from './arrivals.ts'
import { TestLoop } from './turns.fixture.ts'

test('those who come one a turn begin together, when a turn has brought nobody', () => {
  const nowMs = 0
  const loop = new TestLoop(() => nowMs)
  const arrivals = new Arrivals(loop.now, loop.atEnd)
  const begun: number[] = []
  for (let each = 0; each < 50; each++) {
    arrivals.add(() => begun.push(each))
    loop.turn()
  }
  expect(begun).toEqual([])
  loop.turn()
  expect(begun).toEqual(Array.from({ length: 50 }, (_, at) => at))
  expect(loop.isBusy).toBe(false)
})

test('however many come, the first waits for 20 ms', () => {
  let nowMs = 0
  const loop = new TestLoop(() => nowMs)
  const arrivals = new Arrivals(loop.now, loop.atEnd)
  const beganMs: number[] = []
  for (; beganMs.length === 0; nowMs++) {
    arrivals.add(() => beganMs.push(nowMs))
    loop.turn()
  }
  expect(beganMs).toEqual(Array.from({ length: 21 }, () => 20))
})

test('who comes alone begins in the next turn', () => {
  const nowMs = 0
  const loop = new TestLoop(() => nowMs)
  const arrivals = new Arrivals(loop.now, loop.atEnd)
  for (const round of [1, 2]) {
    let begun = 0
    arrivals.add(() => begun++)
    loop.turn()
    expect(begun, `round ${round}`).toBe(0)
    loop.turn()
    expect(begun, `round ${round}`).toBe(1)
  }
})
