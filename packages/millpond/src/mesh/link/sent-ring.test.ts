import { expect, test } from 'vitest'
import { EVERYONE, SentRing } from './sent-ring.ts'

const datagram = (bytes: number, mark: number) => new Uint8Array(bytes).fill(mark)

test('keeps the last datagrams, by their number', () => {
  const ring = new SentRing(4, 1000)
  for (let seq = 1; seq <= 6; seq++) ring.push(datagram(10, seq))
  expect(ring).toMatchObject({ highest: 6, low: 3, bytes: 40 })
  expect([2, 3, 6, 7].map((seq) => ring.get(seq)?.[0])).toEqual([undefined, 3, 6, undefined])
})

test('keeps no more bytes than it may, and at least the last datagram', () => {
  const ring = new SentRing(64, 100)
  for (let seq = 1; seq <= 10; seq++) ring.push(datagram(30, seq))
  expect(ring).toMatchObject({ low: 8, bytes: 90 })
  ring.push(datagram(500, 11))
  expect(ring).toMatchObject({ low: 11, highest: 11, bytes: 500 })
})

test('a repair rests while it is on its way; a second asker makes it a repair for all', () => {
  const ring = new SentRing(4, 1000)
  ring.push(datagram(10, 1))
  const ask = (asker: number, nowMs: number) => ring.repair(1, asker, nowMs, 5)
  expect(ask(7, 0)).toBe(7)
  expect(ask(7, 4)).toBeUndefined()
  expect(ask(8, 4)).toBe(EVERYONE)
  expect(ask(9, 8)).toBeUndefined()
  expect(ask(9, 9)).toBe(9)
})

test('what is new in a place was never repaired', () => {
  const ring = new SentRing(2, 1000)
  for (let seq = 1; seq <= 2; seq++) ring.push(datagram(10, seq))
  ring.repair(1, 7, 0, 5)
  ring.push(datagram(10, 3))
  expect(ring.repair(3, 7, 1, 5)).toBe(7)
})
