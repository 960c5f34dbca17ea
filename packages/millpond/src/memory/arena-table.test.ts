import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClosedError, KeyError, OptionError, ValueError } from '../core/errors.ts'
import { seededRandom } from '../core/random.ts'
import { manualClock } from '../testing/manual-clock.ts'
import type { ArenaTableOptions } from './arena-options.ts'
import { ArenaTable } from './arena-table.ts'
import { lru } from './policies/lru.ts'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const same = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0
const keysOf = (table: ArenaTable) => [...table.keys()].map(text).sort()

/** A value that shows which set it came from. */
function made(length: number, stamp: number): Uint8Array {
  const value = new Uint8Array(length)
  for (let at = 0; at < length; at++) value[at] = stamp * 31 + at * 7
  return value
}

type Step =
  | { do: 'set'; key: number; length: number; ttlMs: number; flags: number }
  | { do: 'get' | 'delete' | 'has'; key: number }
  | { do: 'expireAfter'; key: number; ttlMs: number }
  | { do: 'wait'; ms: number }
  | { do: 'clear' | 'sweep' | 'keys' }

const ttlMs = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 50 }))
const key = fc.integer({ min: 0, max: 60 })
/** Lengths around the borders of chunks, quarters and pages of 4 KiB, and much longer ones. */
const length = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 3, arbitrary: fc.integer({ min: 950, max: 1100 }) },
  { weight: 2, arbitrary: fc.integer({ min: 3900, max: 9000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 60_000 }) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('set' as const), key, length, ttlMs, flags: fc.nat() }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('get' as const, 'delete' as const, 'has' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expireAfter' as const), key, ttlMs }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('clear' as const, 'sweep' as const, 'keys' as const) }) },
)

interface Held {
  readonly value: Uint8Array
  readonly flags: number
  expiresAtMs: number
}

/** Runs steps on a table and on a plain Map; removals keep the Map in step with what the table let go for space. */
function compare(options: ArenaTableOptions, steps: readonly Step[], shared: boolean): void {
  const clock = manualClock()
  const model = new Map<string, Held>()
  const told: string[] = []
  const table = new ArenaTable({
    ...options,
    clock,
    onRemove: (bytes, reason) => {
      told.push(`${text(bytes)} ${reason}`)
      if (reason === 'evict') expect(model.delete(text(bytes))).toBe(true)
      if (reason === 'expire') {
        expect(model.get(text(bytes))!.expiresAtMs).toBeLessThanOrEqual(clock.monotonic())
        model.delete(text(bytes))
      }
    },
  })
  if (shared) table.share()
  const expire = (ttl: number) => clock.monotonic() + ttl
  const live = (name: string) => {
    const held = model.get(name)
    return held && held.expiresAtMs > clock.monotonic() ? held : undefined
  }
  for (const [stamp, each] of steps.entries()) {
    const name = 'key' in each ? `key:${each.key}` : ''
    const before = live(name)
    told.length = 0
    if (each.do === 'set') {
      const value = made(each.length, stamp)
      const stored = table.set(name, value, { ttlMs: each.ttlMs, flags: each.flags })
      expect(stored).toBe(true)
      const replaced = told.filter((line) => line === `${name} replace`).length
      const evicted = told.filter((line) => line === `${name} evict`).length
      expect(replaced + evicted).toBe(before ? 1 : 0)
      model.set(name, { value, flags: each.flags | 0, expiresAtMs: expire(each.ttlMs) })
    } else if (each.do === 'get') {
      const view = table.get(name)
      expect(view?.flags).toBe(before?.flags)
      if (view && before) expect(same(view.copy(), before.value)).toBe(true)
    } else if (each.do === 'has') {
      expect(table.has(name)).toBe(before !== undefined)
    } else if (each.do === 'delete') {
      expect(table.delete(name)).toBe(before !== undefined)
      expect(told.filter((line) => line === `${name} delete`).length).toBe(before ? 1 : 0)
      model.delete(name)
    } else if (each.do === 'expireAfter') {
      expect(table.expireAfter(each.ttlMs, name)).toBe(before !== undefined)
      if (before) before.expiresAtMs = expire(each.ttlMs)
    } else if (each.do === 'wait') {
      clock.advanceNow(each.ms)
    } else if (each.do === 'clear') {
      table.clear()
      expect(told.filter((line) => line.endsWith(' delete')).length).toBe(model.size)
      model.clear()
    } else if (each.do === 'sweep') {
      table.sweep(1e6)
      expect(table.size).toBe([...model.keys()].filter(live).length)
    } else {
      expect(keysOf(table)).toEqual([...model.keys()].filter(live).sort())
    }
    expect(table.weight).toBeLessThanOrEqual(table.maxWeight)
    expect(table.size).toBe(model.size)
  }
}

describe('against a plain Map', () => {
  test.each([
    ['in one stripe', { maxWeight: '256kb', stripes: 1 }, false],
    ['in four stripes', { maxWeight: '512kb', stripes: 4 }, false],
    ['with locks', { maxWeight: '256kb', stripes: 2 }, true],
  ] as const)('the same content, never above the bound, each removal told once: %s', (_, options, shared) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => compare(options, steps, shared)),
      { numRuns: 60 },
    )
  })
})

describe('keys and values', () => {
  test('a key is read where it lies, and as text is the same key', () => {
    const table = new ArenaTable({ maxWeight: '1mb' })
    const socket = new TextEncoder().encode('SET clé value\r\n')
    table.setBytes(socket, 4, 8, socket, 9, 14, 42)
    expect(table.get('clé')?.toString()).toBe('value')
    expect(table.get(socket, 4, 8)?.flags).toBe(42)
    expect(table.has(socket, 4, 7)).toBe(false)
  })

  test.each([0, 1, 23, 24, 1000, 16_360, 16_361, 65_512, 65_513, 5_000_000])(
    'a value of %i bytes comes back',
    (bytes) => {
      const table = new ArenaTable({ maxWeight: '64mb' })
      const value = made(bytes, 3)
      expect(table.set('key', value)).toBe(true)
      expect(same(table.get('key')!.copy(), value)).toBe(true)
      const target = new Uint8Array(bytes + 2)
      expect(table.copyTo(target, 2, 'key')).toBe(bytes)
      expect(same(target.subarray(2), value)).toBe(true)
    },
  )

  test('a key longer than any chunk', () => {
    const table = new ArenaTable({ maxWeight: '1mb' })
    const long = 'k'.repeat(20_000)
    table.set(`${long}1`, 'one')
    table.set(`${long}2`, 'two')
    expect([table.get(`${long}1`)?.toString(), table.get(`${long}2`)?.toString()]).toEqual(['one', 'two'])
  })

  test('a hit shows the value in place: nothing is copied and nothing allocated', () => {
    const table = new ArenaTable({ maxWeight: '1mb' })
    table.set('a', 'one')
    table.set('b', 'two')
    const view = table.get('a')!
    expect(view.bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(table.get('b')).toBe(view)
    expect(view.toString()).toBe('two')
  })

  test('what does not fit the target is not copied, and its length is told', () => {
    const table = new ArenaTable({ maxWeight: '1mb' })
    table.set('key', 'value')
    const target = new Uint8Array(6)
    expect(table.copyTo(target, 2, 'key')).toBe(5)
    expect([...target]).toEqual([0, 0, 0, 0, 0, 0])
    expect(table.copyTo(target, 0, 'no')).toBe(-1)
  })

  test('a value may come out of the table itself', () => {
    const table = new ArenaTable({ maxWeight: '256kb' })
    for (let round = 0; round < 500; round++) {
      table.set('from', made(3000, round))
      const { bytes, start, end } = table.get('from')!
      table.setBytes(`to:${round}`, undefined, undefined, bytes, start, end)
      expect(same(table.get(`to:${round}`)!.copy(), made(3000, round))).toBe(true)
    }
  })

  test('an item above the limit is refused and leaves no old value', () => {
    const table = new ArenaTable({ maxWeight: '1mb', maxItem: '1kb' })
    table.set('key', 'old')
    expect(table.set('key', made(1022, 1))).toBe(false)
    expect(table.has('key')).toBe(false)
    expect(table.set('key', made(1021, 1))).toBe(true)
  })

  test('a closed table says so', () => {
    const table = new ArenaTable({ maxWeight: '1mb' })
    table.share()
    table.close()
    expect(() => table.get('key')).toThrow(ClosedError)
    expect(() => table.share()).toThrow(ClosedError)
  })

  test('bad input is refused with what to do', () => {
    expect(() => new ArenaTable({ maxWeight: '100kb' })).toThrow(OptionError)
    expect(() => new ArenaTable({ maxWeight: '1mb', stripes: 3 })).toThrow(/power of two/)
    expect(() => new ArenaTable({ maxWeight: '1mb', maxItem: '1mb' })).toThrow(/quarter/)
    const table = new ArenaTable({ maxWeight: '1mb' })
    expect(() => table.get(7 as never)).toThrow(KeyError)
    expect(() => table.get(new Uint8Array(3), 2, 4)).toThrow(KeyError)
    expect(() => table.setBytes('k', 0, 0, new Uint8Array(3), 2, 4)).toThrow(ValueError)
    expect(() => table.set('k', 'v', { ttlMs: 0 })).toThrow(OptionError)
    expect(() => table.scan(-1)).toThrow(OptionError)
    expect(() => ArenaTable.open({ buffer: new SharedArrayBuffer(8192), policy: 'tinyLfu' })).toThrow(/share/)
    expect(() => ArenaTable.open({ ...table.share(), policy: 'other' })).toThrow(/other/)
  })
})

describe('expiry', () => {
  test('an entry is gone at its time, and its room comes back by and by', () => {
    const clock = manualClock()
    const table = new ArenaTable({ maxWeight: '1mb', clock, stripes: 1 })
    for (let number = 0; number < 100; number++) table.set(`key:${number}`, 'value', { ttlMs: 1000 })
    clock.advanceNow(999)
    expect(table.get('key:5')?.toString()).toBe('value')
    expect(table.remainingMs('key:5')).toBe(1)
    clock.advanceNow(1)
    expect([table.has('key:5'), table.remainingMs('key:5')]).toEqual([false, -1])
    expect(table.size).toBe(99)
    // Each set looks at two more slots.
    for (let number = 0; number < 52; number++) table.set('other', 'value')
    expect(table.size).toBe(1)
  })

  test('another time to live, and none', () => {
    const clock = manualClock()
    const table = new ArenaTable({ maxWeight: '1mb', clock })
    table.set('key', 'value')
    expect(table.remainingMs('key')).toBe(Number.POSITIVE_INFINITY)
    expect(table.expireAfter(50, 'key')).toBe(true)
    expect(table.get('key')!.expiresAtMs).toBe(clock.monotonic() + 50)
    expect(table.expireAfter(Number.POSITIVE_INFINITY, 'key')).toBe(true)
    clock.advanceNow(100)
    expect(table.has('key')).toBe(true)
    expect(table.expireAfter(50, 'absent')).toBe(false)
    // A set without one takes it away too.
    table.expireAfter(50, 'key')
    table.set('key', 'value')
    expect(table.remainingMs('key')).toBe(Number.POSITIVE_INFINITY)
  })

  test('expired entries make room before any other leaves', () => {
    const clock = manualClock()
    const left: string[] = []
    const table = new ArenaTable({
      maxWeight: '256kb',
      stripes: 1,
      clock,
      onRemove: (bytes, reason) => left.push(`${text(bytes)} ${reason}`),
    })
    for (let number = 0; number < 60; number++) table.set(`old:${number}`, made(1500, number), { ttlMs: 10 })
    clock.advanceNow(10)
    for (let number = 0; number < 60; number++) table.set(`new:${number}`, made(1500, number))
    expect(left.filter((line) => line.endsWith('evict'))).toEqual([])
    expect(left.filter((line) => line.endsWith('expire')).length).toBe(60)
  })
})

describe('room', () => {
  test('sizes change, over and over: the bound holds and little is lost to fragments', () => {
    const seed = 20_261_121
    const random = seededRandom(seed)
    const table = new ArenaTable({ maxWeight: '4mb', policy: lru })
    const sizes = [
      () => 40 + random() * 60,
      () => 3000 + random() * 3000,
      () => 200 + random() ** 6 * 100_000,
      () => 900,
    ]
    const value = new Uint8Array(110_000)
    for (let phase = 0; phase < 8; phase++) {
      let bytes = 0
      for (let number = 0; bytes < 10 * 2 ** 20; number++) {
        const size = Math.floor(sizes[phase % 4]!())
        bytes += size + 60
        const name = `phase:${phase}:${number}`
        if (!table.setBytes(name, undefined, undefined, value, 0, size)) throw new Error(`no room, seed ${seed}`)
        if (table.weight > table.maxWeight) throw new Error(`above the bound, seed ${seed}`)
      }
      // Small items need a large index; what is not index is full.
      expect(table.itemWeight / table.maxWeight, `phase ${phase}, seed ${seed}`).toBeGreaterThan(
        phase % 4 === 0 ? 0.5 : 0.8,
      )
    }
  })

  test('long items leave room for each other', () => {
    const table = new ArenaTable({ maxWeight: '8mb', stripes: 8 })
    for (let number = 0; number < 40; number++) {
      expect(table.set(`long:${number}`, made(1_000_000 + number * 977, number))).toBe(true)
      expect(same(table.get(`long:${number}`)!.copy(), made(1_000_000 + number * 977, number))).toBe(true)
    }
    expect(table.size).toBeGreaterThanOrEqual(5)
  })

  test('what is used stays: hot keys survive a stream of new ones', () => {
    const table = new ArenaTable({ maxWeight: '2mb', seed: [1, 2] })
    const value = made(400, 1)
    for (let number = 0; number < 30_000; number++) {
      if (number % 10 === 0)
        for (let hot = 0; hot < 20; hot++) if (!table.get(`hot:${hot}`)) table.set(`hot:${hot}`, value)
      table.set(`once:${number}`, value)
    }
    expect(Array.from({ length: 20 }, (_, hot) => table.has(`hot:${hot}`)).filter(Boolean).length).toBe(20)
    const hot = (keys: Uint8Array[]) => keys.map(text).filter((name) => name.startsWith('hot:')).length
    expect(hot(table.hottest(table.size / 2))).toBe(20)
    expect(hot(table.coldest(table.size / 4))).toBe(0)
  })

  test('clear gives everything back, and the table goes on', () => {
    const table = new ArenaTable({ maxWeight: '4mb' })
    const empty = table.weight
    for (let number = 0; number < 5000; number++) table.set(`key:${number}`, made(100, number))
    table.clear()
    expect([table.size, table.itemWeight, table.weight]).toEqual([0, 0, empty])
    expect(table.get('key:1')).toBeUndefined()
    table.set('key:1', 'again')
    expect(table.get('key:1')?.toString()).toBe('again')
  })
})

describe('iteration', () => {
  test('what is there from beginning to end comes once, whatever else changes', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), (seed, count) => {
        const random = seededRandom(seed)
        const table = new ArenaTable({ maxWeight: '4mb', stripes: 4 })
        const stay = Array.from({ length: 300 }, (_, number) => `stay:${number}`)
        for (const name of stay) table.set(name, made(50, 1))
        const seen = new Map<string, number>()
        let cursor = 0
        do {
          const part = table.scan(cursor, count)
          for (const name of part.keys.map(text)) seen.set(name, (seen.get(name) ?? 0) + 1)
          cursor = part.cursor
          // Growth, moves, replacements and deletes between two steps.
          for (let change = 0; change < 20; change++) {
            table.set(`new:${Math.floor(random() * 5000)}`, made(Math.floor(random() * 2000), 2))
            table.set(stay[Math.floor(random() * stay.length)]!, made(Math.floor(random() * 300), 3))
            table.delete(`new:${Math.floor(random() * 5000)}`)
          }
        } while (cursor !== 0)
        expect(stay.map((name) => seen.get(name))).toEqual(stay.map(() => 1))
      }),
      { numRuns: 15 },
    )
  })

  test('and is not missed when its part of the table shrinks', () => {
    const table = new ArenaTable({ maxWeight: '1mb', stripes: 1, seed: [3, 4], policy: lru })
    for (let number = 0; number < 20_000; number++) table.set(`tiny:${number}`, '')
    const names = keysOf(table)
    const stay = names.filter((_, at) => at % 50 === 0)
    const seen: string[] = []
    let cursor = 0
    let step = 0
    do {
      const part = table.scan(cursor, 100)
      seen.push(...part.keys.map(text))
      cursor = part.cursor
      for (let number = 0; number < 10; number++) table.set(`large:${step}:${number}`, made(5000, number))
      for (const name of stay) table.get(name)
      step++
    } while (cursor !== 0)
    expect(names.length).toBeGreaterThan(4000)
    expect(names.filter((name) => table.has(name)).length).toBeLessThan(names.length / 4)
    const stayed = stay.filter((name) => table.has(name))
    expect(stayed.length).toBeGreaterThan(20)
    expect(stayed.filter((name) => !seen.includes(name))).toEqual([])
  })

  test('expired keys are not told', () => {
    const clock = manualClock()
    const table = new ArenaTable({ maxWeight: '1mb', clock })
    table.set('short', 'value', { ttlMs: 10 })
    table.set('long', 'value', { ttlMs: 20 })
    clock.advanceNow(10)
    expect(keysOf(table)).toEqual(['long'])
  })
})

describe('a removal listener', () => {
  test('may throw, and may use the table', () => {
    const failures: unknown[] = []
    const table: ArenaTable = new ArenaTable({
      maxWeight: '256kb',
      onError: (error) => failures.push(error),
      onRemove: (bytes, reason) => {
        if (reason === 'delete') table.set(`${text(bytes)}:again`, 'value')
        throw new Error(text(bytes))
      },
    })
    table.set('key', 'value')
    expect(table.delete('key')).toBe(true)
    expect(failures).toEqual([new Error('key')])
    expect(keysOf(table)).toEqual(['key:again'])
  })
})

test('what has expired stays while that is asked for, is not served, and may be written over', () => {
  const clock = manualClock()
  const left: string[] = []
  const table = new ArenaTable({
    maxWeight: 2 ** 20,
    clock,
    onRemove: (bytes, reason) => void left.push(`${text(bytes)} ${reason}`),
  })
  for (const key of ['a', 'b']) table.set(key, '1', { ttlMs: 10 })
  table.keepExpired(true)
  clock.advanceNow(20)
  expect([table.get('a'), table.delete('a'), table.size]).toEqual([undefined, false, 2])
  expect(table.set('a', '2')).toBe(true)
  expect([text(table.get('a')!.copy()), table.size]).toEqual(['2', 2])
  table.keepExpired(false)
  expect([table.get('b'), table.size]).toEqual([undefined, 1])
  expect(left).toEqual(['a expire', 'b expire'])
})

describe('keys that are expected', () => {
  test.each([
    ['alone', (table: ArenaTable) => table],
    ['shared', (table: ArenaTable) => ArenaTable.open(table.share())],
  ])('are fetched without any change: %s', (_, other) => {
    const own = new ArenaTable({ maxWeight: '4mb', seed: [1, 2] })
    const table = other(own)
    const keys = Array.from({ length: 500 }, (_, at) => `key:${at}`)
    for (const [at, key] of keys.entries()) if (at % 3 > 0) table.set(key, key.repeat(1 + (at % 60)))
    const before = [table.size, table.weight, table.coldest(1000).map(String)]
    for (let from = 0; from < 500; from += 64) {
      const group = keys.slice(from, from + 64)
      expect(group.map((key) => table.ahead.expect(key)).indexOf(false)).toBe(group.length < 64 ? -1 : 63)
      table.ahead.fetch()
    }
    expect([table.size, table.weight, table.coldest(1000).map(String)]).toEqual(before)
    for (const [at, key] of keys.entries())
      expect(table.peek(key)?.toString()).toBe(at % 3 > 0 ? key.repeat(1 + (at % 60)) : undefined)
  })
})
