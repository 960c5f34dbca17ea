/** Several tables in one arena: spaces, objects that entries refer to, a bound and a policy that change, uses. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../testing/manual-clock.ts'
import { ArenaTable } from './arena-table.ts'
import { byRank } from './policies/by-rank.ts'
import { never } from './policies/never.ts'
import { tinyLfu } from './policies/tiny-lfu.ts'
import type { RemovalReason } from './policy.ts'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill)

/** A table with all that a server asks for. */
function make(options: Partial<ConstructorParameters<typeof ArenaTable>[0]> = {}) {
  const clock = manualClock()
  const removed: [string, RemovalReason, number][] = []
  const released: number[] = []
  const table = new ArenaTable({
    maxWeight: '4mb',
    stripes: 2,
    seed: [1, 2],
    clock,
    spaces: 4,
    uses: true,
    expiries: true,
    own: true,
    onRemove: (key, reason, space) => removed.push([text(key), reason, space]),
    removals: ['expire', 'evict'],
    onRelease: (number) => released.push(number),
    ...options,
  })
  return { table, clock, removed, released }
}

function put(table: ArenaTable, space: number, key: string, value: string, ttlMs = Number.POSITIVE_INFINITY): boolean {
  return table.setBytes(key, undefined, undefined, Buffer.from(value), 0, value.length, 0, ttlMs, space)
}

describe('spaces', () => {
  test('each is a table of its own: keys, sizes, expiries and scans', () => {
    const step = fc.record({
      space: fc.nat(3),
      key: fc.nat(40),
      what: fc.constantFrom('set', 'expiring', 'refer', 'delete', 'abandon'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { table } = make()
        const model = [0, 1, 2, 3].map(() => new Map<string, string>())
        for (const { space, key, what } of steps) {
          const name = `key:${key}`
          if (what === 'delete')
            expect(table.delete(name, undefined, undefined, space)).toBe(model[space]!.delete(name))
          else if (what === 'abandon') {
            table.abandon(space)
            while (table.sizeOf(space) > 0) table.sweep()
            table.reclaim(space)
            model[space]!.clear()
          } else if (what === 'refer') {
            table.setReference(name, undefined, undefined, 7, 1000, undefined, space)
            model[space]!.set(name, '#7')
          } else {
            put(table, space, name, `${space} ${key}`, what === 'set' ? undefined : 1000)
            model[space]!.set(name, what === 'set' ? `${space} ${key}` : `${space} ${key}!`)
          }
        }
        for (let space = 0; space < 4; space++) {
          const expected = model[space]!
          expect(table.sizeOf(space)).toBe(expected.size)
          expect(table.expiringOf(space)).toBe([...expected.values()].filter((value) => value.endsWith('!')).length)
          expect([...table.keys(space)].map(text).sort()).toEqual([...expected.keys()].sort())
          for (const [name, value] of expected) {
            const view = table.get(name, undefined, undefined, space)!
            expect(value.startsWith('#') ? `#${view.number}` : view.toString()).toBe(value.replace('!', ''))
          }
        }
        expect(table.size).toBe(model.reduce((sum, { size }) => sum + size, 0))
      }),
      { numRuns: 60 },
    )
  })

  test('some key is one of its own space', () => {
    const { table } = make()
    for (let key = 0; key < 50; key++) put(table, key % 2, `key:${key}`, 'x')
    const met = new Set<string>()
    for (let chance = 0; chance < 1; chance += 1 / 256) met.add(text(table.someKey(chance, 1)!))
    expect([...met].every((key) => Number(key.slice(4)) % 2 === 1)).toBe(true)
    expect(met.size).toBeGreaterThan(12)
    expect(table.someKey(0.5, 2)).toBeUndefined()
  })

  test('a removal is told with its space, and only for the reasons that were asked for', () => {
    const { table, clock, removed } = make()
    put(table, 1, 'a', '1', 100)
    put(table, 2, 'a', '2')
    put(table, 2, 'a', '3')
    table.delete('a', undefined, undefined, 2)
    clock.advanceNow(200)
    table.sweep()
    expect(removed).toEqual([['a', 'expire', 1]])
  })

  test('a key of more than 32 MiB is no key', () => {
    const { table } = make({ maxWeight: '256mb' })
    const long = new Uint8Array(2 ** 25)
    expect(table.set(long, 'x')).toBe(false)
    expect(table.get(long)).toBeUndefined()
    expect(table.set(long.subarray(1), 'x')).toBe(true)
    expect(table.get(long.subarray(1))?.toString()).toBe('x')
  })
})

describe('references', () => {
  test('an object is let go of once, whatever ends its entry', () => {
    const { table, clock, released } = make()
    for (let number = 1; number <= 5; number++) table.setReference(`key:${number}`, undefined, undefined, number, 100)
    table.delete('key:1')
    table.set('key:2', 'a string now')
    table.setReference('key:3', undefined, undefined, 33, 100)
    table.expireAfter(10, 'key:4')
    clock.advanceNow(20)
    expect(table.get('key:4')).toBeUndefined()
    expect(released).toEqual([1, 2, 3, 4])
    table.clear()
    expect(released.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 33])
  })

  test('what objects weigh counts: it pushes others out, and is given back', () => {
    const { table, removed } = make({ policies: [byRank('lru', 'use', 'all')] })
    for (let key = 0; key < 2000; key++) table.set(`key:${key}`, bytes(1000))
    table.setReference('big', undefined, undefined, 1, 100)
    const before = table.weight
    expect(table.reweigh(3_000_000, 'big')).toBe(true)
    expect(table.weight - before).toBeGreaterThan(2_999_000)
    expect(table.weightOf('big')).toBeGreaterThan(2_999_000)
    expect(table.trim(5000)).toBe('within')
    expect(table.weight).toBeLessThanOrEqual(table.maxWeight)
    expect(removed.length).toBeGreaterThan(100)
    expect(table.get('big')?.number).toBe(1)
    table.delete('big')
    expect(table.weight).toBeLessThan(1_400_000)
  })

  test('who removes an entry of a shared table hears which object it referred to', () => {
    const table = new ArenaTable({ maxWeight: '1mb' })
    const released: number[] = []
    const other = ArenaTable.open(table.share(), { onRelease: (number) => void released.push(number) })
    table.setReference('first', undefined, undefined, 1, 1000)
    table.setReference('second', undefined, undefined, 2, 1000)
    expect(other.get('first')?.number).toBe(1)
    expect(other.objectWeight).toBe(table.objectWeight)
    other.delete('first')
    other.set('second', 'bytes')
    expect(released).toEqual([1, 2])
    expect(table.objectWeight).toBe(0)
    expect(() => make().table.share()).toThrow('own')
    other.close()
    table.close()
  })
})

describe('a bound that changes', () => {
  test('lower: entries leave in steps; sets stay within it; higher: there is room again', () => {
    const { table } = make({ maxWeight: '16mb' })
    const fill = (from: number, to: number) => {
      for (let key = from; key < to; key++) {
        expect(put(table, key & 3, `key:${key}`, 'v'.repeat(50 + (key % 7) * 200))).toBe(true)
      }
    }
    fill(0, 20_000)
    const most = table.size
    table.setMaxWeight('2mb')
    expect(table.trim(1)).toBe('above')
    while (table.trim(100) !== 'within') expect(table.weight).toBeGreaterThan(2 * 2 ** 20)
    expect(table.usedBytes).toBeLessThanOrEqual(2 * 2 ** 20)
    for (let key = 0; key < 20_000; key += 100) {
      fill(key, key + 100)
      expect(table.usedBytes).toBeLessThanOrEqual(2 * 2 ** 20)
    }
    // Small entries in place of large ones need larger indexes, which must come out of the same bound.
    for (let key = 0; key < 60_000; key++) put(table, 0, `small:${key}`, '')
    expect(table.usedBytes).toBeLessThanOrEqual(2 * 2 ** 20)
    expect(table.size).toBeGreaterThan(8000)
    table.setMaxWeight('64mb')
    expect(table.maxWeight).toBe(table.capacity)
    table.clear()
    fill(0, 20_000)
    expect(table.size).toBe(most)
  })
})

describe('policies that are switched', () => {
  const policies = [
    tinyLfu,
    never,
    byRank('lru', 'use', 'all'),
    byRank('random', 'random', 'all'),
    byRank('lfu', 'frequency', 'all'),
    byRank('volatile-lru', 'use', 'expiring'),
    byRank('volatile-ttl', 'expiry', 'expiring'),
  ]

  test('never: sets are refused, what is there stays, deletes make room', () => {
    const { table, removed } = make({ policies })
    table.usePolicy('never')
    const stored = Array.from({ length: 6000 }, (_, key) => table.set(`key:${key}`, bytes(900))).filter(Boolean).length
    expect(stored).toBeGreaterThan(3000)
    expect(table.size).toBe(stored)
    expect(table.set('key:1', bytes(700_000, 2))).toBe(false)
    expect(table.get('key:1')?.length).toBe(900)
    expect(table.set('key:1', bytes(900, 3))).toBe(true)
    expect(table.expireAfter(1000, 'key:2')).toBe(true)
    for (let key = 0; key < 200; key++) table.delete(`key:${key}`)
    expect(table.set('new', bytes(900))).toBe(true)
    expect(table.size).toBe(stored - 199)
    expect(removed).toEqual([])
    table.usePolicy('tinylfu')
    expect(table.policy).toBe('tinylfu')
    for (let key = 0; key < 5000; key++) expect(table.set(`more:${key}`, bytes(900))).toBe(true)
  })

  test('lru: takes over the order, and the least recently used leave', () => {
    const { table } = make({ policies, stripes: 1 })
    for (let key = 0; key < 1000; key++) table.set(`key:${key}`, bytes(900))
    table.usePolicy('lru')
    for (let key = 0; key < 200; key++) table.get(`key:${key}`)
    for (let key = 0; key < 4200; key++) table.set(`new:${key}`, bytes(900))
    const stayed = Array.from({ length: 1000 }, (_, key) => table.has(`key:${key}`))
    expect(stayed.lastIndexOf(true)).toBeLessThan(200)
  })

  test('lfu: what is used often stays', () => {
    const { table } = make({ policies })
    table.usePolicy('lfu')
    table.countUses({ logFactor: 10, decayMinutes: 1 })
    for (let key = 0; key < 6000; key++) {
      table.set(`key:${key}`, bytes(900))
      for (let hot = 0; hot < 100; hot += 7) table.get(`key:${hot}`)
    }
    for (let hot = 0; hot < 100; hot += 7) expect(table.has(`key:${hot}`)).toBe(true)
    expect(table.frequency('key:0')).toBeGreaterThan(10)
    table.setUse({ frequency: 100 }, 'key:7')
    expect(table.frequency('key:7')).toBe(100)
  })

  test.each(['volatile-lru', 'volatile-ttl'])('%s: only what expires leaves, then sets are refused', (name) => {
    const { table, removed } = make({ policies })
    table.usePolicy(name)
    for (let key = 0; key < 1500; key++) {
      table.set(`lasting:${key}`, bytes(900))
      table.set(`expiring:${key}`, bytes(900), { ttlMs: 1e6 + key })
    }
    table.expireAfter(1e6, 'lasting:0')
    table.expireAfter(Number.POSITIVE_INFINITY, 'expiring:0')
    let stored = 0
    while (table.set(`more:${stored}`, bytes(900))) stored++
    expect(removed.every(([key]) => key.startsWith('expiring') || key === 'lasting:0')).toBe(true)
    expect(removed).toHaveLength(1500)
    expect(table.has('expiring:0')).toBe(true)
    expect(stored).toBeGreaterThan(1500)
    for (let key = 1; key < 1500; key++) expect(table.has(`lasting:${key}`)).toBe(true)
  })

  test('a bound that is no whole number of pages is exact, from the first entry on', () => {
    const { table } = make({ policies, maxWeight: '128mb', stripes: 4 })
    table.prepare()
    const most = table.usedBytes + 100 * 1024
    table.setMaxWeight(most)
    for (let key = 0; key < 5000; key++) {
      expect(table.set(`key:${key}`, 'x'.repeat((key * 7) % 100), { ttlMs: 1000 })).toBe(true)
      expect(table.usedBytes).toBeLessThanOrEqual(most)
    }
    expect(table.size).toBeGreaterThan(500)
    table.usePolicy('never')
    table.setReference('object', undefined, undefined, 1, 16)
    table.reweigh(200_000, 'object')
    expect(table.trim(10)).toBe('stuck')
  })

  test('a policy that was not named is refused', () => {
    expect(() => make({ policies }).table.usePolicy('clock')).toThrow('policies')
  })
})

test('uses: how long an entry was not used', () => {
  const { table, clock } = make()
  table.set('key', 'value')
  clock.advanceNow(5000)
  expect(table.idleMs('key')).toBe(5000)
  table.peek('key')
  expect(table.idleMs('key')).toBe(5000)
  table.get('key')
  expect(table.idleMs('key')).toBe(0)
  table.setUse({ idleMs: 3000 }, 'key')
  expect(table.idleMs('key')).toBe(3000)
  expect(table.idleMs('absent')).toBe(-1)
})

test('many expire at once: sweeping clears them away in steps', () => {
  const { table, clock } = make({ maxWeight: '16mb' })
  for (let key = 0; key < 20_000; key++) put(table, 1, `key:${key}`, 'x', key % 2 === 0 ? 100 : 10_000)
  clock.advanceNow(200)
  for (let stripe = 0; stripe < table.stripes; stripe++) table.sweepStripe(stripe, 100)
  expect(table.sizeOf(1)).toBeGreaterThan(19_000)
  for (let stripe = 0; stripe < table.stripes; stripe++) table.sweepStripe(stripe, table.slotsOf(stripe))
  expect(table.sizeOf(1)).toBe(10_000)
  expect(table.expiringOf(1)).toBe(10_000)
})
