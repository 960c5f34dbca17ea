import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import { Arrivals } from './arrivals.ts'

const AGAIN = { firstMs: 5, mostMs: 64, times: 8 }
const half = () => 0.5

/** What is due now, as `first+count`. */
function due(arrivals: Arrivals, nowMs: number, countMax = 64, ranges = 32): string[] {
  const found: number[] = new Array(2 * ranges).fill(0)
  const used = arrivals.due(nowMs, AGAIN, half, found, countMax)
  return Array.from({ length: used / 2 }, (_, at) => `${found[2 * at]}+${found[2 * at + 1]}`)
}

describe('what has come', () => {
  test('is new once, in any order', () => {
    const arrivals = new Arrivals(10, 64)
    expect([9, 10, 11, 13, 12, 13, 11, 15].map((seq) => arrivals.take(seq, 0))).toEqual([
      false,
      false,
      true,
      true,
      true,
      false,
      false,
      true,
    ])
    expect(arrivals).toMatchObject({ contiguous: 13, highest: 15, missing: 1, lost: 0 })
  })

  test.each([1, 2, 3, 4, 5])('agrees with a set under loss, disorder and doubles, seed %i', (seed) => {
    const random = seededRandom(seed)
    const capacity = 128
    const arrivals = new Arrivals(0, capacity)
    const came = new Set<number>()
    let low = 1
    let highest = 0
    let lost = 0
    const giveUp = (upTo: number) => {
      for (; low <= upTo; low++) if (low > 0 && !came.has(low)) lost++
    }
    for (let step = 0; step < 5000; step++) {
      const seq = Math.max(
        1,
        highest + 1 - Math.floor(random() * 60) + Math.floor(random() ** 8 * 200) + (random() < 0.6 ? 25 : 0),
      )
      if (seq - capacity > 0 && seq > highest) {
        // Everything up to where all came moves on by itself; the rest falls out of the ring.
        while (came.has(low)) low++
        giveUp(seq - capacity)
      }
      while (came.has(low)) low++
      const isNew = seq >= low && !came.has(seq)
      expect(arrivals.take(seq, 0), `step ${step}, number ${seq}`).toBe(isNew)
      if (isNew) came.add(seq)
      highest = Math.max(highest, seq)
      while (came.has(low)) low++
      if (random() < 0.01) {
        const upTo = Math.floor(highest - random() * 100)
        arrivals.giveUpBelow(upTo + 1)
        giveUp(upTo)
        while (came.has(low)) low++
      }
      const missing = Array.from({ length: Math.max(0, highest - low + 1) }, (_, at) => low + at).filter(
        (one) => !came.has(one),
      )
      expect(arrivals, `step ${step}`).toMatchObject({ contiguous: low - 1, missing: missing.length, lost })
    }
    expect(lost).toBeGreaterThan(100)
  })

  test('falls out of a ring that is too short, and is counted as lost', () => {
    const arrivals = new Arrivals(0, 32)
    arrivals.take(1, 0)
    arrivals.take(1_000_000_000, 0)
    expect(arrivals).toMatchObject({ contiguous: 1_000_000_000 - 32, missing: 31, lost: 1_000_000_000 - 33 })
  })

  test('a low mark above everything that is known gives all of it up', () => {
    const arrivals = new Arrivals(5, 64)
    arrivals.take(8, 0)
    expect(arrivals.giveUpBelow(21)).toBe(14)
    expect(arrivals).toMatchObject({ contiguous: 20, highest: 20, missing: 0 })
    expect(arrivals.take(20, 0)).toBe(false)
    expect(arrivals.take(21, 0)).toBe(true)
  })
})

describe('what is missing', () => {
  test('is asked for in ranges when it is due, later each time, and given up in the end', () => {
    const arrivals = new Arrivals(0, 64)
    arrivals.take(4, 2)
    arrivals.take(6, 3)
    expect(arrivals.nextAskMs).toBe(2)
    expect(due(arrivals, 1)).toEqual([])
    expect(due(arrivals, 3)).toEqual(['1+3', '5+1'])
    const asked: number[] = []
    for (let nowMs = 3; arrivals.missing > 0 && nowMs < 1000; nowMs++) {
      if (arrivals.nextAskMs > nowMs) continue
      if (due(arrivals, nowMs).length > 0) asked.push(nowMs)
    }
    expect(asked).toEqual([8, 18, 38, 78, 142, 206, 270])
    expect(arrivals).toMatchObject({ contiguous: 6, missing: 0, lost: 4, nextAskMs: Number.POSITIVE_INFINITY })
  })

  test('is asked for piece by piece where it is much', () => {
    const arrivals = new Arrivals(0, 256)
    arrivals.take(201, 0)
    expect(due(arrivals, 0)).toEqual(['1+64'])
    expect(arrivals.nextAskMs).toBe(1)
    expect(due(arrivals, 1)).toEqual(['65+64'])
    expect(due(arrivals, 2)).toEqual(['129+64'])
    expect(due(arrivals, 3)).toEqual(['193+8'])
  })

  test('never needs more ranges than there is room for', () => {
    const arrivals = new Arrivals(0, 64)
    for (let seq = 2; seq <= 20; seq += 2) arrivals.take(seq, 0)
    expect(due(arrivals, 0, 64, 4)).toEqual(['1+1', '3+1', '5+1', '7+1'])
    expect(due(arrivals, 1, 64, 4)).toEqual(['9+1', '11+1', '13+1', '15+1'])
  })

  test('is asked for afresh where the place in the ring was used before', () => {
    const arrivals = new Arrivals(0, 32)
    for (const first of [1, 33]) {
      arrivals.take(first + 1, 0)
      const asked: number[] = []
      for (let nowMs = 0; nowMs < 30; nowMs++) if (due(arrivals, nowMs).length > 0) asked.push(nowMs)
      expect(asked).toEqual([0, 5, 15])
      for (let seq = first; seq < first + 32; seq++) arrivals.take(seq, 0)
    }
  })

  test('is not asked for while somebody else does', () => {
    const arrivals = new Arrivals(0, 64)
    arrivals.take(11, 2)
    expect(arrivals.heardAsk(3, 4, 7)).toBe(4)
    expect(arrivals.heardAsk(3, 4, 7)).toBe(0)
    expect(due(arrivals, 2)).toEqual(['1+2', '7+4'])
    expect(due(arrivals, 7)).toEqual(['1+10'])
  })
})
