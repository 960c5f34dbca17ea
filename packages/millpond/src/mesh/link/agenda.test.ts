import { expect, test } from 'vitest'
import { manualClock } from '../../testing/manual-clock.ts'
import { Agenda } from './agenda.ts'

test('has one timer, for what is due first', () => {
  const clock = manualClock()
  const looks: number[] = []
  const agenda = new Agenda(clock, (nowMs) => {
    looks.push(nowMs)
    return nowMs + 50
  })
  agenda.by(30)
  agenda.by(10)
  agenda.by(20)
  expect(clock.pending).toBe(1)
  clock.advanceNow(100)
  expect(looks).toEqual([10, 60])
  expect(clock.pending).toBe(1)
})

test('what is asked for during a look counts, and no look follows within a millisecond', () => {
  const clock = manualClock()
  const looks: number[] = []
  const agenda: Agenda = new Agenda(clock, (nowMs) => {
    looks.push(nowMs)
    agenda.by(nowMs + 3)
    agenda.by(nowMs)
    return nowMs + 50
  })
  agenda.by(0)
  clock.advanceNow(3)
  expect(looks).toEqual([0, 1, 2, 3])
})

test('says how late it is', () => {
  const clock = manualClock()
  const late: number[] = []
  let held: (() => void) | undefined
  const agenda = new Agenda(
    { ...clock, after: (delayMs, run) => clock.after(delayMs, () => void (held = run)) },
    (_, lateMs) => late.push(lateMs) && Number.POSITIVE_INFINITY,
  )
  agenda.by(10)
  clock.advanceNow(250)
  held!()
  expect(late).toEqual([240])
})

test('is silent once it is closed', () => {
  const clock = manualClock()
  const agenda = new Agenda(clock, () => expect.unreachable())
  agenda.by(10)
  agenda.close()
  agenda.by(5)
  clock.advanceNow(100)
  expect(clock.pending).toBe(0)
})
