import { describe, expect, test } from 'vitest'
import { ByteReader } from '../wire/byte-reader.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { History } from './history.ts'

/** How long two processes 1 and 2 have been apart, at the same moment of both. */
const apart = (one: History, other: History, nowMs: number, otherNowMs = nowMs, bornMs = 0): number =>
  one.apartMs({ id: 1, bornMs: 0, nowMs }, { id: 2, bornMs, nowMs: otherNowMs }, other)

describe('how long two processes have been apart', () => {
  test('is told by the clock of the one who was left, whoever remembers it', () => {
    const [one, two] = [new History(), new History()]
    expect(apart(one, two, 5000)).toBe(0)
    one.touch(2, 1_001_000, 1000)
    expect(apart(one, two, 5000, 1_005_000)).toBe(4000)
    two.touch(1, 2000, 1_002_000)
    expect(apart(one, two, 5000, 1_005_000)).toBe(4000)
    one.touch(2, 1_004_500, 4500)
    expect(apart(one, two, 5000, 1_005_000)).toBe(3000)
    one.touch(2, 1_000_000, 4900)
    expect(apart(one, two, 5000, 1_005_000)).toBe(3000)
  })

  test('counts from when the other was born, or dropped what it had', () => {
    const [one, two] = [new History(), new History()]
    one.touch(2, 1000, 1000)
    expect(apart(one, two, 50_000)).toBe(49_000)
    expect(apart(one, two, 50_000, 50_000, 45_000)).toBe(5000)
  })

  test('is told by whom both have met, where they never met', () => {
    const [one, two] = [new History(), new History()]
    one.touch(3, 100, 1000)
    two.touch(4, 100, 1000)
    expect(apart(one, two, 9000)).toBe(0)
    two.touch(3, 700, 7000)
    expect(apart(one, two, 9000)).toBe(8000)
    one.touch(4, 900, 8500)
    expect(apart(one, two, 9000)).toBe(8000)
    two.touch(4, 901, 8600)
    expect(apart(one, two, 9000)).toBe(500)
  })

  test('goes over to who took the state of another', () => {
    const [one, donor] = [new History(), new History()]
    donor.touch(2, 50_000, 10_000)
    one.merge(donor, 500_000)
    expect(one.sinceMs(2, 510_700)).toBe(700)
    expect(apart(one, new History(), 520_000, 63_000)).toBe(13_000)
  })
})

test('company is who was in step lately', () => {
  const history = new History()
  expect(history.company(7, 0, 30_000)).toEqual({ size: 1, lowest: 7 })
  history.touch(9, 1, 1000)
  history.touch(3, 1, 50_000)
  expect(history.company(7, 30_000, 30_000)).toEqual({ size: 3, lowest: 3 })
  expect(history.company(7, 60_000, 30_000)).toEqual({ size: 2, lowest: 3 })
})

test('it comes through bytes, and forgets the oldest of 256', () => {
  const history = new History()
  for (let peer = 1; peer <= 300; peer++) history.touch(peer, peer * 1.5, peer)
  const writer = new ByteWriter(64 * 1024)
  history.write(writer)
  const back = History.read(new ByteReader().reset(Buffer.from(writer.written())))
  expect(back.sinceMs(44, 1000)).toBeUndefined()
  expect(back.sinceMs(45, 1000)).toBe(955)
  expect(back.sinceMs(300, 1000)).toBe(700)
})
