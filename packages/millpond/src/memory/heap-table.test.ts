import { describe, expect, test } from 'vitest'
import type { Clock } from '../core/clock.ts'
import { manualClock } from '../testing/manual-clock.ts'
import { HeapTable, type HeapTableOptions, lru, MemoryBudget, type RemovalReason, sieve, tinyLfu } from './index.ts'

type Told = [key: string, value: unknown, reason: RemovalReason]

/** A table that writes down what it tells. */
function telling(options: HeapTableOptions<unknown>): { table: HeapTable<unknown>; told: Told[] } {
  const told: Told[] = []
  const table = new HeapTable<unknown>({ seed: 1, ...options, onRemove: (...what) => void told.push(what) })
  return { table, told }
}

/** A clock that counts how often it is read. */
function countingClock(): Clock & { reads: number; nowMs: number } {
  const clock = manualClock()
  return {
    reads: 0,
    nowMs: 0,
    monotonic() {
      this.reads++
      return this.nowMs
    },
    wall: () => clock.wall(),
    after: (delayMs, run) => clock.after(delayMs, run),
  }
}

describe('keys and values', () => {
  test('undefined and null are values; keys that look like numbers or like parts of an object are keys', () => {
    const table = new HeapTable<unknown>({ maxEntries: 20 })
    const keys = ['', '0', '-1', '1e3', '__proto__', 'constructor', 'undefined', '\0', 'ü', '😀', 'x'.repeat(100_000)]
    for (const [at, key] of keys.entries()) table.set(key, at === 0 ? undefined : at === 1 ? null : at)
    expect(keys.map((key) => table.has(key))).toEqual(keys.map(() => true))
    expect(keys.slice(2).map((key) => table.get(key))).toEqual(keys.slice(2).map((_, at) => at + 2))
    expect([table.get(''), table.get('0'), table.has('1')]).toEqual([undefined, null, false])
    expect(new Set(table.keys())).toEqual(new Set(keys))
  })

  test('a table of one entry keeps the last one', () => {
    for (const policy of [tinyLfu, sieve, lru]) {
      const { table, told } = telling({ maxEntries: 1, policy })
      table.set('a', 1)
      table.set('b', 2)
      table.set('b', 3)
      expect([table.get('a'), table.get('b'), table.size]).toEqual([undefined, 3, 1])
      expect(told).toEqual([
        ['a', 1, 'evict'],
        ['b', 2, 'replace'],
      ])
      expect(table.delete('b')).toBe(true)
      expect([table.delete('b'), table.size, table.get('b')]).toEqual([false, 0, undefined])
    }
  })

  test('a table bounded by weight grows to as many entries as fit', () => {
    const table = new HeapTable<number>({ maxWeight: '1mb' })
    for (let id = 0; id < 20_000; id++) table.set(`${id}`, id, { weight: 10 })
    expect(table.size).toBe(20_000)
    for (let id = 0; id < 20_000; id++) expect(table.peek(`${id}`)).toBe(id)
    table.clear()
    expect([table.size, table.weight, [...table.keys()]]).toEqual([0, 0, []])
  })
})

describe('bounds', () => {
  test('what is heavier than the whole table is not kept, and the older value is gone', () => {
    const { table, told } = telling({ maxWeight: 100 })
    table.set('a', 'old', { weight: 10 })
    table.set('b', 'b', { weight: 10 })
    expect(table.set('a', 'new', { weight: 101 })).toBe(false)
    expect([table.has('a'), table.get('b'), table.weight]).toEqual([false, 'b', 10])
    expect(told).toEqual([['a', 'old', 'replace']])
    expect(table.set('c', 'c', { weight: Number.POSITIVE_INFINITY })).toBe(false)
  })

  test('room is made before a value comes: in the listener, too, the table is within its bound', () => {
    const weights: number[] = []
    const table: HeapTable<number> = new HeapTable<number>({
      maxWeight: 100,
      onRemove: () => void weights.push(table.weight),
    })
    for (let id = 0; id < 500; id++) table.set(`${id % 60}`, id, { weight: 1 + ((id * 7) % 40) })
    expect(weights.length).toBeGreaterThan(100)
    expect(Math.max(...weights)).toBeLessThanOrEqual(100)
  })

  test.each([
    [{}, 'maxEntries'],
    [{ maxEntries: 0 }, 'maxEntries'],
    [{ maxEntries: 1.5 }, 'maxEntries'],
    [{ maxEntries: Number.NaN }, 'maxEntries'],
    [{ maxWeight: 0 }, 'maxWeight'],
    [{ maxWeight: '5 mb' as never }, 'maxWeight'],
  ])('%o is refused by name', (options, name) => {
    expect(() => new HeapTable(options)).toThrow(expect.objectContaining({ code: 'ERR_OPTION', option: name }))
  })

  test.each([{ ttlMs: -1 }, { ttlMs: Number.NaN }, { idleMs: -5 }, { weight: Number.NaN }, { weight: -1 }])(
    'a life of %o is refused, and nothing has changed',
    (life) => {
      const table = new HeapTable<string>({ maxWeight: 100 })
      table.set('a', 'old')
      expect(() => table.set('a', 'new', life)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
      expect(table.get('a')).toBe('old')
    },
  )

  test('a weigher that throws changes nothing', () => {
    const table = new HeapTable<string>({
      maxWeight: 100,
      weigher: (_, value) => {
        if (value === 'bad') throw new TypeError('cannot weigh')
        return 10
      },
    })
    table.set('a', 'good')
    expect(() => table.set('a', 'bad')).toThrow('cannot weigh')
    expect([table.get('a'), table.weight]).toEqual(['good', 10])
  })
})

describe('lives', () => {
  test('ttl counts from set, idle from the last get; both can end an entry; peek and has do not renew', () => {
    const clock = manualClock()
    const table = new HeapTable<string>({ maxEntries: 10, clock })
    table.set('ttl', 'v', { ttlMs: 1000 })
    table.set('idle', 'v', { idleMs: 400 })
    table.set('both', 'v', { ttlMs: 1000, idleMs: 400 })
    for (const _ of [1, 2, 3]) {
      clock.advanceNow(300)
      for (const key of ['ttl', 'idle', 'both']) expect(table.get(key)).toBe('v')
    }
    clock.advanceNow(99)
    expect(table.has('both')).toBe(true)
    clock.advanceNow(1)
    expect(['ttl', 'idle', 'both'].map((key) => table.peek(key))).toEqual([undefined, 'v', undefined])
    clock.advanceNow(200)
    expect([table.peek('idle'), table.has('idle')]).toEqual(['v', true])
    clock.advanceNow(100)
    expect(table.get('idle')).toBeUndefined()
  })

  test('expired entries leave by themselves: one timer for the table, none when nothing can expire', () => {
    const clock = manualClock()
    const { table, told } = telling({ maxEntries: 1000, clock })
    table.set('forever', 1)
    expect(clock.pending).toBe(0)
    for (let id = 0; id < 500; id++) table.set(`${id}`, id, { ttlMs: 1000 + id })
    expect(clock.pending).toBe(1)
    clock.advanceNow(999)
    expect(told).toEqual([])
    clock.advanceNow(600)
    expect([table.size, told.length, clock.pending]).toEqual([1, 500, 0])
    expect(told.every(([, , reason]) => reason === 'expire')).toBe(true)
  })

  test('a shorter life given later is kept, and a longer one, and none', () => {
    const clock = manualClock()
    const table = new HeapTable<number>({ maxEntries: 10, clock })
    table.set('shorter', 1, { ttlMs: 1e6 })
    table.set('longer', 1, { ttlMs: 100 })
    table.set('none', 1, { ttlMs: 100 })
    table.set('shorter', 2, { ttlMs: 50 })
    table.set('longer', 2, { ttlMs: 5000 })
    table.set('none', 2)
    clock.advanceNow(200)
    expect([...table.keys()].sort()).toEqual(['longer', 'none'])
    expect(table.size).toBe(2)
    clock.advanceNow(1e9)
    expect([...table.keys()]).toEqual(['none'])
  })

  test('the clock is read once a call at most, and only about entries that have an end', () => {
    const clock = countingClock()
    const table = new HeapTable<number>({ maxEntries: 10, clock })
    table.set('forever', 1)
    table.get('forever')
    table.set('ends', 1, { ttlMs: 10 }, 0)
    table.get('ends', 5)
    table.get('forever')
    table.set('forever', 2)
    table.has('nothing')
    expect(clock.reads).toBe(0)
    table.get('ends')
    expect(clock.reads).toBe(1)
    table.set('ends', 2, { ttlMs: 10, idleMs: 5 })
    expect(clock.reads).toBe(2)
  })

  test('a clock that jumps forward expires, one that jumps back breaks nothing', () => {
    const clock = countingClock()
    const { table, told } = telling({ maxEntries: 10, clock })
    clock.nowMs = 1e6
    table.set('a', 1, { ttlMs: 1000, idleMs: 600 })
    table.set('b', 1, { ttlMs: 1e12 })
    clock.nowMs = 5
    expect([table.get('a'), table.get('b')]).toEqual([1, 1])
    table.set('c', 1, { ttlMs: 100 })
    clock.nowMs = 104
    expect(table.get('c')).toBe(1)
    clock.nowMs = 105
    expect(table.get('c')).toBeUndefined()
    clock.nowMs = 1e11
    table.set('d', 1, { ttlMs: 10 })
    expect([table.get('a'), table.get('b'), table.get('d')]).toEqual([undefined, 1, 1])
    clock.nowMs = Number.MAX_SAFE_INTEGER
    table.set('e', 1, { ttlMs: 10 })
    expect([...table.keys()]).toEqual(['e'])
    table.collect()
    expect([table.size, told.length]).toEqual([1, 4])
  })

  test('the work of one call is bounded: a set after a long silence does not sweep the table', () => {
    const clock = countingClock()
    const { table, told } = telling({ maxEntries: 100_000, clock })
    for (let id = 0; id < 50_000; id++) table.set(`${id}`, id, { ttlMs: 100 })
    clock.nowMs = 1e7
    table.set('one', 1, { ttlMs: 100 })
    expect(told.length).toBeLessThan(100)
    for (let id = 0; id < 2000; id++) table.set('one', id, { ttlMs: 100 })
    expect(told.filter(([, , reason]) => reason === 'expire').length).toBe(50_000)
  })
})

describe('the removal listener', () => {
  test('may throw: the table goes on, others are told, the error reaches onError', () => {
    const errors: unknown[] = []
    const told: string[] = []
    const table = new HeapTable<number>({
      maxEntries: 2,
      policy: lru,
      onRemove(key) {
        told.push(key)
        if (key === 'a') throw new Error('from the listener')
      },
      onError: (error) => void errors.push((error as Error).message),
    })
    for (const key of ['a', 'b', 'c', 'd']) table.set(key, 1)
    table.clear()
    expect(told).toEqual(['a', 'b', 'c', 'd'])
    expect(errors).toEqual(['from the listener'])
  })

  test('without onError, what it throws becomes an uncaught exception of its own', async () => {
    const seen: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', (error) => void seen.push(error.message))
    try {
      const table = new HeapTable<number>({
        maxEntries: 1,
        onRemove: () => {
          throw new Error('not lost')
        },
      })
      table.set('a', 1)
      expect(table.delete('a')).toBe(true)
      await new Promise((resolve) => setImmediate(resolve))
      expect(seen).toEqual(['not lost'])
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
  })

  test('may use the table: what it removes is told next, and every value once', () => {
    const told: string[] = []
    let depth = 0
    const table: HeapTable<number> = new HeapTable<number>({
      maxEntries: 3,
      policy: lru,
      onError: (error) => {
        throw error
      },
      onRemove(key, value, reason) {
        expect(++depth, 'not inside another call of the listener').toBe(1)
        told.push(`${key}=${value} ${reason}`)
        if (key === 'a') {
          table.set('x', 9)
          table.delete('b')
          table.set('a', 10)
        }
        if (key === 'x') table.clear()
        depth--
      },
    })
    for (const [at, key] of ['a', 'b', 'c', 'd'].entries()) table.set(key, at)
    expect(table.size).toBeLessThanOrEqual(3)
    expect(new Set(told).size).toBe(told.length)
    expect(told[0]).toBe('a=0 evict')
    expect(told).toContain('b=1 evict')
    expect([...table.entries()].sort()).toEqual([
      ['a', 10],
      ['d', 3],
      ['x', 9],
    ])
  })

  test('is not told of a value that is set again under its own key', () => {
    const { table, told } = telling({ maxWeight: 100 })
    const value = {}
    table.set('a', value, { weight: 10 })
    table.set('a', value, { weight: 90 })
    table.set('a', value, { weight: 10, ttlMs: 5 })
    expect([table.get('a'), told]).toEqual([value, []])
    table.set('a', {}, { weight: 1 })
    expect(told).toEqual([['a', value, 'replace']])
  })
})

describe('inspection and restart', () => {
  test('hottest and coldest are opposite ends, and leave no trace', () => {
    const table = new HeapTable<number>({ maxEntries: 100 })
    for (let id = 0; id < 300; id++) {
      table.set(`${id}`, id)
      for (const hot of ['0', '1', '2']) table.get(hot)
    }
    expect(
      table
        .hottest(3)
        .map(([key]) => key)
        .sort(),
    ).toEqual(['0', '1', '2'])
    expect(table.coldest(90).map(([key]) => key)).not.toContain('0')
    expect(table.hottest(1000).length).toBe(100)
    expect(table.hottest(0)).toEqual([])
  })

  test('dump and load: the hottest come along, in their order, with what is left of their lives', () => {
    const clock = manualClock()
    const table = new HeapTable<number>({ maxWeight: 1000, clock })
    for (let id = 0; id < 100; id++)
      table.set(`${id}`, id, { weight: 5, ttlMs: id === 7 ? 1000 : 1e6, ...(id === 8 ? { idleMs: 500 } : {}) })
    table.set('forever', 1, { weight: 7 })
    for (const _ of [1, 2]) for (const key of ['7', '8', '9', 'forever']) table.get(key)
    clock.advanceNow(400)
    const dump = JSON.parse(JSON.stringify(table.dump()))
    expect(dump.length).toBe(101)
    const later = manualClock()
    later.advanceNow(12_345)
    const smaller = new HeapTable<number>({ maxWeight: 100, clock: later })
    smaller.load(dump)
    for (const [key] of table.hottest(15)) expect(smaller.has(key), key).toBe(true)
    expect(smaller.weight).toBeGreaterThan(90)
    later.advanceNow(499)
    expect([smaller.has('7'), smaller.has('8')]).toEqual([true, true])
    later.advanceNow(101)
    expect([smaller.has('7'), smaller.has('8'), smaller.has('forever')]).toEqual([false, false, true])
  })
})

describe('a shared budget', () => {
  const key = (id: number) => `${id}`

  test('the tables together never weigh more than it', () => {
    const budget = new MemoryBudget(1000)
    const told: string[] = []
    const tables = [0, 1, 2].map(
      (which) => new HeapTable<number>({ budget, seed: which, onRemove: (name) => void told.push(`${which} ${name}`) }),
    )
    for (let at = 0; at < 20_000; at++) {
      const table = tables[(at * at) % 3]!
      const name = key((at * 31) % 400)
      if (table.get(name) === undefined) table.set(name, at, { weight: 1 + (at % 30) })
      const weight = tables.reduce((sum, { weight }) => sum + weight, 0)
      expect(weight).toBe(budget.weight)
      if (weight > 1000) expect.fail(`${weight} at ${at}`)
    }
    expect(told.length).toBeGreaterThan(1000)
    for (const table of tables) table.clear()
    expect(budget.weight).toBe(0)
  })

  test('a table that has nothing takes from the others, below their least share, too', () => {
    const budget = new MemoryBudget(1000)
    const small = new HeapTable<number>({ budget })
    const empty = new HeapTable<number>({ budget })
    for (let id = 0; id < 12; id++) small.set(key(id), id, { weight: 10 })
    expect(empty.set('large', 1, { weight: 950 })).toBe(true)
    expect([small.weight, empty.weight]).toEqual([50, 950])
    expect(small.set('all', 1, { weight: 1000 })).toBe(true)
    expect([small.size, empty.size]).toEqual([1, 0])
    expect(empty.set('more', 1, { weight: 1001 })).toBe(false)
  })

  test('room goes to the table where it earns hits, and back when that changes', () => {
    const budget = new MemoryBudget(2000)
    const scanned = new HeapTable<number>({ budget, seed: 1 })
    const useful = new HeapTable<number>({ budget, seed: 2 })
    const read = (table: HeapTable<number>, id: number) => {
      if (table.get(key(id)) === undefined) table.set(key(id), id, { weight: 1 })
    }
    let fresh = 0
    const phase = (busy: HeapTable<number>, idle: HeapTable<number>) => {
      for (let at = 0; at < 60_000; at++) {
        read(busy, (at * 7919) % 1700)
        read(idle, 1e6 + fresh++)
      }
    }
    phase(useful, scanned)
    expect(useful.weight).toBeGreaterThan(1500)
    phase(scanned, useful)
    expect(scanned.weight).toBeGreaterThan(1500)
  })
})
