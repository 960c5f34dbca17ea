import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { manualClock } from '../../testing/manual-clock.ts'
import { LostConnections } from './lost-connections.ts'
import { NoAnswer, Patience } from './patience.ts'

const never = () => new Promise<never>(() => {})

test('twice as long is waited after each question that was lost, and the first time again after an answer', async () => {
  const clock = manualClock()
  const patience = new Patience(clock, 500, 1500)
  const waited: number[] = []
  for (let lost = 0; lost < 3; lost++) {
    const fromMs = clock.monotonic()
    const asked = patience.ask(never).catch((error: unknown) => {
      waited.push(clock.monotonic() - fromMs)
      return error
    })
    for (let step = 0; step < 30; step++) await clock.advance(50)
    expect(await asked).toBeInstanceOf(NoAnswer)
  }
  expect(waited).toEqual([500, 1000, 1500])
  await expect(patience.ask(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await patience.ask(() => Promise.resolve(7))).toBe(7)
  const asked = patience.ask(never).catch((error: Error) => error.message)
  await clock.advance(500)
  expect(await asked).toBe('the server did not answer within 500 ms')
  expect(clock.pending).toBe(0)
})

interface Asked {
  answer(value: number): void
  refuse(error: Error): void
}

function setUp() {
  const client = new EventEmitter()
  const clock = manualClock()
  const asked: Asked[] = []
  const put = () => new Promise<number>((answer, refuse) => asked.push({ answer, refuse }))
  const answer = new LostConnections(client).firstAnswer(put, 10_000, clock)
  return { client, clock, asked, answer }
}

test('a read is put again half a second after a connection was lost, as often as one is', async () => {
  const { client, clock, asked, answer } = setUp()
  await clock.advance(2000)
  expect(asked).toHaveLength(1)
  client.emit('connectionClosed', { reason: 'idle' })
  await clock.advance(2000)
  expect(asked).toHaveLength(1)
  client.emit('connectionClosed', { reason: 'error' })
  await clock.advance(499)
  client.emit('connectionPoolCleared')
  expect(asked).toHaveLength(1)
  await clock.advance(1)
  expect(asked).toHaveLength(2)
  client.emit('connectionPoolCleared')
  await clock.advance(500)
  expect(asked).toHaveLength(3)
  asked[1]!.answer(2)
  expect(await answer).toBe(2)
  expect(clock.pending).toBe(0)
})

test('a read without an answer is put again after twice as long each time; the first answer counts, a refusal too', async () => {
  const { clock, asked, answer } = setUp()
  for (const [at, waitMs] of [10_000, 20_000, 40_000].entries()) {
    await clock.advance(waitMs - 1)
    expect(asked).toHaveLength(at + 1)
    await clock.advance(1)
    expect(asked).toHaveLength(at + 2)
  }
  asked[0]!.refuse(new Error('no'))
  await expect(answer).rejects.toThrow('no')
  for (const late of asked.slice(1)) late.refuse(new Error('nobody waits for this one'))
  expect(clock.pending).toBe(0)
})
