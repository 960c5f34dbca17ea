import { describe, expect, test } from 'vitest'
import { seededRandom } from '../core/random.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { MapTable } from './map-table.ts'
import type { RemovalReason } from './policy.ts'
import type { TableOptions } from './table.ts'

type Told = [key: string, value: unknown, reason: RemovalReason]

/** A table that writes down what it tells, on a clock that is moved by hand. */
function setup(options: Partial<TableOptions<unknown>>) {
  const clock = manualClock()
  const told: Told[] = []
  const onRemove = (...what: Told): void => void told.push(what)
  const table = new MapTable<unknown>({ clock, weigher: () => 1, onRemove, ...options })
  return { table, told, clock }
}

const keysOf = (count: number, prefix = 'k') => Array.from({ length: count }, (_, at) => `${prefix}${at}`)

describe('what stays', () => {
  test('what was used more than once stays when a hundred times as many others pass by', () => {
    const { table } = setup({ maxEntries: 100 })
    const used = keysOf(80)
    for (const key of used) table.set(key, key, {})
    for (let use = 0; use < 2; use++) for (const key of used) table.get(key)
    for (const key of keysOf(10_000, 'other')) table.set(key, key, {})
    expect(used.filter((key) => table.peek(key) === key)).toEqual(used)
    expect(table.size).toBe(100)
  })

  test('what comes back soon after it left goes where passers-by do not push it out', () => {
    const { table } = setup({ maxEntries: 100 })
    for (const key of keysOf(100)) table.set(key, key, {})
    table.set('one more', 1, {})
    expect(table.peek('k0')).toBe(undefined)
    table.set('k0', 'again', {})
    for (const key of keysOf(200, 'other')) table.set(key, key, {})
    expect(table.peek('k0')).toBe('again')
  })

  test('what left is remembered for half as many departures as there are entries, and not beyond a clear', () => {
    const comesBackAfter = (departures: number, isCleared = false) => {
      const { table } = setup({ maxEntries: 100 })
      for (const key of keysOf(100)) table.set(key, key, {})
      for (const key of keysOf(1 + departures, 'pushing')) table.set(key, key, {})
      if (isCleared) table.clear('delete')
      table.set('k0', 'again', {})
      for (const key of keysOf(200, 'other')) table.set(key, key, {})
      return table.peek('k0') === 'again'
    }
    expect([0, 50, 60, 99].map((departures) => comesBackAfter(departures))).toEqual([true, true, true, false])
    expect(comesBackAfter(0, true)).toBe(false)
  })

  test('a new value takes over the uses and the queue of the one before', () => {
    const { table } = setup({ maxEntries: 100 })
    table.set('used', 1, {})
    for (let use = 0; use < 2; use++) table.get('used')
    table.set('used', 2, {})
    for (const key of keysOf(101)) table.set(key, key, {})
    table.set('k0', 'returned, so in the main queue', {})
    table.set('k0', 'set again there', {})
    for (const key of keysOf(150, 'other')) table.set(key, key, {})
    expect([table.peek('used'), table.peek('k0')]).toEqual([2, 'set again there'])
  })

  test('what was used and is not any more leaves in the end', () => {
    const { table } = setup({ maxEntries: 10 })
    const rounds = (prefix: string) => {
      for (const key of keysOf(10, prefix)) {
        table.set(key, key, {})
        for (let use = 0; use < 3; use++) table.get(key)
      }
    }
    rounds('old')
    for (let round = 0; round < 10; round++) rounds(`new${round}-`)
    expect(keysOf(10, 'old').filter((key) => table.peek(key) !== undefined)).toEqual([])
  })

  test('a value that is set again and again keeps its rank', () => {
    const { table } = setup({ maxEntries: 10 })
    table.set('hot', 0, {})
    for (const key of keysOf(1000)) {
      table.set('hot', key, {})
      table.set(key, key, {})
    }
    expect(table.peek('hot')).toBe('k999')
  })
})

describe('who is told', () => {
  test('of each exit, why', () => {
    const { table, told, clock } = setup({ maxEntries: 2 })
    table.set('a', 1, {})
    table.set('a', 2, {})
    table.set('b', 3, { ttlMs: 10 })
    clock.advanceNow(10)
    table.get('b')
    table.set('c', 4, {})
    table.set('d', 5, {})
    table.delete('c', 'invalidate')
    table.delete('c', 'delete')
    table.clear('delete')
    table.set('e', 6, { ttlMs: 10 })
    table.set('f', 7, { ttlMs: 10 })
    clock.advanceNow(10)
    table.set('e', 8, {})
    table.delete('f', 'delete')
    expect(told).toEqual([
      ['a', 1, 'replace'],
      ['b', 3, 'expire'],
      ['a', 2, 'evict'],
      ['c', 4, 'invalidate'],
      ['d', 5, 'delete'],
      ['e', 6, 'expire'],
      ['f', 7, 'expire'],
    ])
  })

  test('after the work is done: the listener may use the table', () => {
    const seen: unknown[] = []
    const { table } = setup({
      maxEntries: 2,
      onRemove: (key, _value, reason) => {
        seen.push([key, reason, table.size, table.peek('c')])
        if (reason === 'evict' && key === 'a') table.set('c', 'from the listener', {})
      },
    })
    for (const key of ['a', 'b', 'c']) table.set(key, key, {})
    expect(seen).toEqual([
      ['a', 'evict', 2, 'c'],
      ['c', 'replace', 2, 'from the listener'],
    ])
    expect([table.size, table.weight]).toEqual([2, 2])
  })
})

describe('time', () => {
  test('an expired entry is not returned, and is removed within a second without being asked for', () => {
    const { table, told, clock } = setup({})
    table.set('a', 1, { ttlMs: 100 }, clock.monotonic())
    table.set('b', 2, { ttlMs: 5000 })
    table.set('c', 3, {})
    clock.advanceNow(99)
    expect(table.get('a')).toBe(1)
    clock.advanceNow(1)
    expect([table.peek('a'), table.size]).toEqual([undefined, 3])
    clock.advanceNow(900)
    expect(told).toEqual([['a', 1, 'expire']])
    clock.advanceNow(4000)
    expect(told[1]).toEqual(['b', 2, 'expire'])
    expect([table.size, clock.pending]).toEqual([1, 0])
  })

  test('an empty table waits for nothing', () => {
    const { table, clock } = setup({})
    table.set('a', 1, { ttlMs: 100 })
    table.clear('delete')
    expect(clock.pending).toBe(0)
  })

  test('an entry that ends earlier than those before it is looked for earlier', () => {
    const { table, told, clock } = setup({})
    table.set('late', 1, { ttlMs: 100_000 })
    table.set('early', 2, { ttlMs: 3000 })
    clock.advanceNow(3000)
    expect(told).toEqual([['early', 2, 'expire']])
  })

  test('idle time begins anew with each use, and the time to live is the cap', () => {
    const { table, clock } = setup({})
    const life = { ttlMs: 250, idleMs: 100 }
    table.set('a', 1, life)
    for (let at = 0; at < 3; at++) {
      clock.advanceNow(80)
      expect(table.get('a')).toBe(1)
    }
    clock.advanceNow(10)
    expect(table.get('a')).toBe(undefined)
    table.set('a', 1, life)
    clock.advanceNow(80)
    table.get('a')
    clock.advanceNow(80)
    table.peek('a')
    clock.advanceNow(20)
    expect(table.get('a')).toBe(undefined)
  })

  test('a large table is looked through seldom', () => {
    const { table, clock } = setup({})
    for (const key of keysOf(100_000)) table.set(key, key, {})
    table.set('short', 1, { ttlMs: 1 })
    clock.advanceNow(5000)
    expect(table.size).toBe(100_001)
    clock.advanceNow(6000)
    expect(table.size).toBe(100_000)
  })
})

describe('weight', () => {
  test('is what the weigher says, or the entry itself, rounded up; it never passes the bound', () => {
    const { table } = setup({ maxWeight: 100, weigher: (key, value) => key.length + (value as number) })
    table.set('a', 29.5, {})
    table.set('b', 0, { weight: 60 })
    expect(table.weight).toBe(91)
    table.set('b', 0, { weight: 0 })
    expect(table.weight).toBe(32)
    table.set('c', 80, {})
    expect(table.weight).toBeLessThanOrEqual(100)
  })

  test('too heavy an entry is not kept, and the older value is gone', () => {
    const { table, told } = setup({ maxWeight: 10 })
    expect(table.set('a', 1, { weight: 10 })).toBe(true)
    expect(table.set('a', 2, { weight: 11 })).toBe(false)
    expect([table.size, told]).toEqual([0, [['a', 1, 'replace']]])
  })

  test('what cannot be a bound or a weight is refused', () => {
    for (const options of [{ maxEntries: 0 }, { maxEntries: Number.NaN }, { maxWeight: 0 }]) {
      expect(() => setup(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
    }
    const { table } = setup({ maxWeight: 10 })
    table.set('a', 1, {})
    expect(() => table.set('a', 2, { weight: -1 })).toThrow('weight')
    expect(table.get('a')).toBe(1)
  })
})

describe('beside a naive model', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i', (seed) => {
    const random = seededRandom(seed)
    const below = (bound: number) => Math.floor(random() * bound)
    const isWeighted = seed % 2 === 0
    const bound = [1, 2, 10, 40][seed % 4]!
    const there = new Map<string, { value: object; weight: number; endsAtMs: number }>()
    const { table, clock } = setup({
      ...(isWeighted ? { maxWeight: bound * 3 } : { maxEntries: bound }),
      onRemove: (key, value, reason) => {
        if (there.get(key)?.value !== value) return expect(reason).toMatch(/replace|expire/)
        expect(['evict', 'expire', 'delete']).toContain(reason)
        if (reason === 'expire') expect(there.get(key)!.endsAtMs).toBeLessThanOrEqual(clock.monotonic())
        there.delete(key)
        return undefined
      },
    })
    for (let step = 0; step < 2000; step++) {
      const key = `${below(60)}`
      const draw = below(10)
      if (draw < 4) {
        const entry = {
          value: {},
          weight: isWeighted ? 1 + below(5) : 1,
          endsAtMs: clock.monotonic() + 1 + below(3000),
        }
        const isKept = !isWeighted || entry.weight <= bound * 3
        if (isKept) there.set(key, entry)
        else there.delete(key)
        const life = { ttlMs: entry.endsAtMs - clock.monotonic(), weight: entry.weight }
        expect(table.set(key, entry.value, life)).toBe(isKept)
      } else if (draw < 8) {
        const entry = there.get(key)
        const live = entry && entry.endsAtMs > clock.monotonic() ? entry.value : undefined
        expect(table.get(key), `seed ${seed}, step ${step}`).toBe(live)
      } else if (draw === 8) table.delete(key, 'delete')
      else clock.advanceNow(below(100))
      expect(table.size, `seed ${seed}, step ${step}`).toBe(there.size)
      expect(table.weight).toBe([...there.values()].reduce((sum, { weight }) => sum + weight, 0))
      expect(table.weight).toBeLessThanOrEqual(isWeighted ? bound * 3 : bound)
    }
    if (seed === 8) table.clear('delete')
    expect(seed === 8 ? there.size : 0).toBe(0)
  })
})
