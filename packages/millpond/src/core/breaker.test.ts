import { expect, test } from 'vitest'
import { manualClock } from '../testing/manual-clock.ts'
import { type Attempt, Breaker } from './breaker.ts'
import { systemClock } from './clock.ts'
import { StoreError } from './errors.ts'

function setup(recover: (attempt: Attempt) => Promise<void> = async () => {}) {
  const clock = manualClock()
  const told: string[] = []
  const state = { isRecovered: true }
  const breaker = new Breaker({
    name: 'store',
    clock,
    timeoutMs: 50,
    recover,
    isRecovered: () => state.isRecovered,
    onState: (now) => told.push(`${clock.monotonic()} ${now}`),
    onError: (operation) => told.push(`${clock.monotonic()} ${operation} failed`),
  })
  const break_ = () => breaker.call('get', () => Promise.reject(new Error('refused'))).catch((error: unknown) => error)
  return { clock, told, state, breaker, break: break_ }
}

test('a call that succeeds leaves it closed, and no timer behind', async () => {
  const { clock, breaker, told } = setup()
  expect(await breaker.call('get', async () => 5)).toBe(5)
  expect([breaker.isOpen, told, clock.pending]).toEqual([false, [], 0])
})

test('the first failure opens it; then nothing is tried until the probe', async () => {
  const { clock, breaker, told, break: fail } = setup()
  expect(await fail()).toMatchObject({ code: 'ERR_STORE', cause: expect.objectContaining({ message: 'refused' }) })
  let tried = false
  await expect(breaker.call('get', async () => (tried = true))).rejects.toThrow(StoreError)
  expect(tried).toBe(false)
  await clock.advance(100)
  expect(told).toEqual(['0 open', '0 get failed', '100 closed'])
  expect(await breaker.call('get', async () => 5)).toBe(5)
})

test('a call that hangs is given up after its timeout', async () => {
  const { clock, breaker } = setup()
  const call = expect(breaker.call('get', () => new Promise(() => {}))).rejects.toThrow('within 50 ms')
  await clock.advance(50)
  await call
  expect(breaker.isOpen).toBe(true)
})

test('what is under way when another call fails is not waited for', async () => {
  const { clock, breaker, break: fail } = setup()
  const early = breaker.call('read', () => new Promise(() => {})).catch((error: unknown) => error)
  await clock.advance(10)
  await fail()
  expect(await early).toMatchObject({ code: 'ERR_STORE', message: 'store failed another call while it answered read' })
  expect(clock.monotonic()).toBe(10)
})

test('a doubt fails what is under way, and makes up for what may be lost before anything else', async () => {
  const { clock, breaker, told } = setup()
  const early = breaker.call('read', () => new Promise(() => {})).catch((error: unknown) => error)
  breaker.doubt()
  expect(await early).toMatchObject({ message: 'store broke its connection while it answered read' })
  expect(breaker.isOpen).toBe(true)
  await clock.advance(0)
  expect(told).toEqual(['0 open', '0 read failed', '0 closed'])
})

test.each(['failure', 'doubt'])('a %s is told once, however many calls it gives up', async (what) => {
  const { breaker, told, break: fail } = setup()
  const calls = Array.from({ length: 3 }, () => breaker.call('read', () => new Promise(() => {})))
  if (what === 'doubt') breaker.doubt()
  else await fail()
  for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected')
  expect(told).toEqual(['0 open', what === 'doubt' ? '0 read failed' : '0 get failed'])
})

test('a doubt while it is open probes at once, or once more when the probe that runs fails', async () => {
  const probes: number[] = []
  let probe = (): Promise<void> => Promise.reject(new Error('still down'))
  const {
    clock,
    breaker,
    break: fail,
  } = setup(() => {
    probes.push(clock.monotonic())
    return probe()
  })
  await fail()
  await clock.advance(1600)
  expect(probes).toEqual([100, 300, 700, 1500])
  let lose = (): void => {}
  probe = () => new Promise((_, reject) => (lose = () => reject(new Error('still down'))))
  breaker.doubt()
  await clock.advance(0)
  expect(probes.at(-1)).toBe(1600)
  breaker.doubt() // while the probe runs
  probe = async () => {}
  lose()
  await clock.advance(0)
  expect([probes.length, probes.at(-1), breaker.isOpen]).toEqual([6, 1600, false])
})

test('probes become rare, but never rarer than one a second', async () => {
  const probes: number[] = []
  const { clock, break: fail } = setup(async () => {
    probes.push(clock.monotonic())
    throw new Error('still down')
  })
  await fail()
  await clock.advance(5000)
  expect(probes).toEqual([100, 300, 700, 1500, 2500, 3500, 4500])
})

test('it stays open until what was missed is made up for', async () => {
  const { clock, breaker, state, told, break: fail } = setup()
  await fail()
  state.isRecovered = false
  const recovering = clock.advance(100)
  await Promise.resolve()
  expect(breaker.isOpen).toBe(true)
  state.isRecovered = true
  await recovering
  expect(told.at(-1)).toBe('100 closed')
})

test('a recovery is bounded call by call, and begins again when one fails', async () => {
  let round = 0
  const {
    clock,
    breaker,
    break: fail,
  } = setup(async (attempt) => {
    round++
    await attempt('probe', async () => {})
    if (round === 1) await attempt('invalidate', () => new Promise(() => {}))
  })
  await fail()
  await clock.advance(150)
  expect([round, breaker.isOpen]).toEqual([1, true])
  await clock.advance(200)
  expect([round, breaker.isOpen]).toEqual([2, false])
})

test('once closed for good it probes no more', async () => {
  let probes = 0
  const { clock, breaker, break: fail } = setup(async () => void probes++)
  await fail()
  breaker.close()
  await clock.advance(60_000)
  expect([probes, clock.pending]).toEqual([0, 0])
  await expect(breaker.call('get', async () => 5)).rejects.toThrow(StoreError)
})

test('a call that is only refused opens nothing', async () => {
  const { breaker, told } = setup()
  const refused = new StoreError('too large', { refused: true })
  await expect(breaker.call('fill', () => Promise.reject(refused))).rejects.toBe(refused)
  expect([breaker.isOpen, told]).toEqual([false, []])
})

test('an answer that is there when the timer is late counts', async () => {
  const real = new Breaker({
    name: 'store',
    clock: systemClock,
    timeoutMs: 20,
    recover: async () => {},
    isRecovered: () => true,
    onState: () => {},
    onError: () => {},
  })
  const answer = real.call('get', () => new Promise((resolve) => setTimeout(() => setImmediate(resolve, 5), 1)))
  for (const until = performance.now() + 60; performance.now() < until; );
  expect(await answer).toBe(5)
  expect(real.isOpen).toBe(false)
})
