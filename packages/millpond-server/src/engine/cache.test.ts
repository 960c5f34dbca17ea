import { manualClock } from 'millpond/testing'
import { describe, expect, test } from 'vitest'
import { Cache, type CacheOptions } from './cache.ts'
import { EVICTION_POLICIES } from './eviction.ts'
import type { Keyspace, KeyspaceObserver } from './keyspace.ts'
import { Span } from './span.ts'
import { EngineTime } from './time.ts'
import type { Collection, Kind } from './value.ts'

/** A collection that is as large as a test says. */
class Lump implements Collection {
  readonly type = 'list'
  readonly encoding = 'quicklist'
  size = 0
  weight = 0
  clone(): Lump {
    return this
  }
}
const LUMP: Kind<Lump> = { type: 'list', create: () => new Lump() }

function make(options: Partial<CacheOptions> = {}) {
  const clock = manualClock(1_700_000_000_000)
  const time = new EngineTime(() => clock.wall())
  const told: string[] = []
  const observer: KeyspaceObserver = {
    changed: (db, key, event) => told.push(`${db.index} ${event} ${key.text()}`),
    left: (db, key, reason) => told.push(`${db.index} ${reason} ${key.text()}`),
    cleared: (db) => told.push(`${db.index} cleared`),
    noted() {},
  }
  const cache = new Cache({ time, observer, capacity: 16 * 2 ** 20, ...options })
  const pass = (ms: number): void => {
    clock.advanceNow(ms)
    time.tick()
  }
  return { cache, time, told, pass, db: cache.databases[0]! }
}

const put = (db: Keyspace, key: string, value: string, expiresAtMs?: number) =>
  db.setString(Span.of(key), Buffer.from(value), 0, value.length, expiresAtMs)
const get = (db: Keyspace, key: string) => db.readString(Span.of(key))?.toString()

describe('databases', () => {
  test('emptied at once, cleared away by and by; others keep what they have', () => {
    const { cache, told } = make()
    const [one, other] = cache.databases as [Keyspace, Keyspace]
    for (let key = 0; key < 5000; key++) put(one, `key:${key}`, 'value')
    put(other, 'key:1', 'other')
    const full = cache.dataBytes
    one.clear()
    expect([one.size, other.size, get(one, 'key:1'), get(other, 'key:1')]).toEqual([0, 1, undefined, 'other'])
    expect(cache.lazyFreePending).toBe(5000)
    put(one, 'key:1', 'new')
    while (cache.lazyFreePending > 0) cache.clearAway(1)
    expect(cache.dataBytes).toBeLessThan(full / 100)
    expect([get(one, 'key:1'), get(other, 'key:1')]).toEqual(['new', 'other'])
    expect(told).toEqual(['0 cleared'])
  })

  test('emptied over and over: there is always a fresh one', () => {
    const { cache } = make()
    const [one, other] = cache.databases as [Keyspace, Keyspace]
    put(other, 'stays', 'here')
    for (let round = 0; round < 100; round++) {
      put(one, `key:${round}`, 'value')
      one.clear()
    }
    expect(get(other, 'stays')).toBe('here')
  })

  test('exchanged', () => {
    const { cache } = make()
    put(cache.databases[0]!, 'key', 'zero')
    put(cache.databases[1]!, 'key', 'one')
    cache.swap(0, 1)
    expect([get(cache.databases[0]!, 'key'), get(cache.databases[1]!, 'key')]).toEqual(['one', 'zero'])
  })
})

describe('collections', () => {
  test('grow: their weight counts, and pushes others out; empty: they are gone', () => {
    const { cache, db, told } = make({ policy: 'allkeys-lru' })
    for (let key = 0; key < 10_000; key++) put(db, `key:${key}`, 'v'.repeat(500))
    const before = cache.usedBytes
    const pressed: boolean[] = []
    cache.onPressure = (above) => pressed.push(above)
    const key = Span.of('lump')
    const lump = db.editOrNew(key, LUMP)
    lump.size = 1
    for (let step = 1; step <= 100; step++) {
      db.edit(key, LUMP)!.weight += 120_000
      db.changed(key, 'rpush', 'l')
      while (!cache.hasRoom()) expect.unreachable('keys can be evicted')
    }
    for (let tries = 0; tries < 1000 && pressed.at(-1) === true; tries++) cache.hasRoom()
    expect(pressed.slice(0, 2)).toEqual([true, false])
    expect(cache.usedBytes).toBeLessThanOrEqual(cache.bytesMax)
    expect(told.some((text) => text.startsWith('0 evict key:'))).toBe(true)
    expect(db.edit(key, LUMP)).toBe(lump)
    expect(db.weightOf(key)).toBeGreaterThan(12_000_000)
    lump.size = 0
    db.changed(key, 'lpop', 'l')
    expect(db.typeOf(key)).toBeUndefined()
    expect(told.at(-1)).toBe('0 del lump')
    expect(cache.usedBytes).toBeLessThan(before)
  })

  test('a string in its place, a delete, an expiry: the collection is let go of', () => {
    const { db, pass } = make()
    const key = Span.of('key')
    db.put(key, new Lump())
    put(db, 'key', 'text')
    expect(() => db.edit(key, LUMP)).toThrow('wrong kind')
    db.put(key, new Lump(), 1_700_000_000_100)
    expect(() => db.readString(key)).toThrow('wrong kind')
    expect(db.expiresAtMs(key)).toBe(1_700_000_000_100)
    pass(100)
    expect(db.collection(key)).toBeUndefined()
  })
})

describe('what a cache allows', () => {
  test('noeviction: what needs memory is refused, reads and deletes go on', () => {
    const { cache, db } = make({ policy: 'noeviction', maxMemory: 4 * 2 ** 20 })
    let stored = 0
    try {
      for (; ; stored++) put(db, `key:${stored}`, 'v'.repeat(500))
    } catch (error) {
      expect(String(error)).toContain("command not allowed when used memory > 'maxmemory'")
    }
    expect(stored).toBeGreaterThan(2000)
    expect(get(db, 'key:0')).toHaveLength(500)
    const key = Span.of('lump')
    for (let delete_ = 0; delete_ < 100; delete_++) db.delete(Span.of(`key:${delete_}`))
    db.editOrNew(key, LUMP).size = 1
    db.edit(key, LUMP)!.weight = 2 ** 20
    db.changed(key, 'rpush', 'l')
    expect(cache.hasRoom()).toBe(false)
    cache.setPolicy('allkeys-random')
    expect(cache.hasRoom()).toBe(true)
  })

  test.each(EVICTION_POLICIES)('%s: the bound holds under churn of mixed sizes', (policy) => {
    const { cache, db } = make({ policy, maxMemory: 3_000_000 })
    for (let key = 0; key < 20_000; key++) {
      try {
        put(db, `key:${(key * 7919) % 9000}`, 'v'.repeat((key * 31) % 900), 1_700_000_100_000 + key)
      } catch {
        expect(policy).toBe('noeviction')
      }
      if (key % 500 === 0) expect(cache.usedBytes).toBeLessThanOrEqual(3_000_000)
    }
    expect(db.size).toBeGreaterThan(1000)
  })

  test('lives: by default, at most; items: how long', () => {
    const { cache, db, pass } = make({ defaultTtlMs: 1000, maxTtlMs: 5000, itemBytesMax: 100 })
    put(db, 'default', 'x')
    put(db, 'long', 'x', 1_700_000_060_000)
    expect(db.expiresAtMs(Span.of('default'))).toBe(1_700_000_001_000)
    expect(db.expiresAtMs(Span.of('long'))).toBe(1_700_000_005_000)
    expect(() => put(db, 'key', 'x'.repeat(98))).toThrow('maximum allowed size')
    put(db, 'gone', 'x')
    put(db, 'gone', 'x', 1_700_000_000_000)
    expect(db.size).toBe(2)
    pass(1000)
    expect(cache.clearAway()).toBe(1)
    expect(db.size).toBe(1)
  })

  test('use: idle time, frequency, some key', () => {
    const { cache, db, pass } = make({ policy: 'allkeys-lru' })
    put(db, 'key', 'x')
    pass(7000)
    expect(db.idleMs(Span.of('key'))).toBe(7000)
    expect(Buffer.from(db.someKey(0.5)!).toString()).toBe('key')
    cache.setPolicy('allkeys-lfu')
    put(db, 'new', 'x')
    expect(db.frequency(Span.of('new'))).toBe(5)
  })
})
