import { inspect } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import { type FixturePeer, Peers } from '../replica/peers.fixture.ts'
import { asDictionary } from './dictionary.ts'
import { type MeshMapOptions, wholeMapOptions } from './map-options.ts'
import { MeshMap } from './mesh-map.ts'

let peers: Peers
let one: FixturePeer
let other: FixturePeer
const mesh = { isClosed: false, settled: async () => {} }

beforeEach(() => {
  peers = new Peers(1)
  one = peers.join()
  other = peers.join()
  mesh.isClosed = false
})

function mapOf<V>(peer: FixturePeer, options: MeshMapOptions = {}, name = 'prices'): MeshMap<V> {
  const whole = wholeMapOptions(options)
  return new MeshMap<V>(peer.replica.open(name, whole.mode, whole.bounds), whole, mesh)
}

describe('as a Map', () => {
  test('no key but a text is there', () => {
    const map = mapOf<number>(one).set('null', 1)
    for (const key of [null, undefined, 5, {}, Symbol('null')] as never[]) {
      expect([map.get(key), map.has(key)]).toEqual([undefined, false])
    }
  })

  test('it does what a Map does', () => {
    const map: Map<string, number | undefined> = mapOf<number | undefined>(one)
    expect(map.set('a', 1).set('b', undefined)).toBe(map)
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, undefined])
    expect([map.has('a'), map.has('b'), map.has('c'), map.size]).toEqual([true, true, false, 2])
    expect(new Map(map)).toEqual(
      new Map([
        ['a', 1],
        ['b', undefined],
      ]),
    )
    expect([...map.keys()].sort()).toEqual(['a', 'b'])
    expect(new Set(map.values())).toEqual(new Set([1, undefined]))
    expect(new Map(map.entries())).toEqual(new Map(map))
    const seen: unknown[] = []
    map.forEach(function (this: unknown, value, key, self) {
      seen.push([this, key, value, self === map])
    }, 'me')
    expect(seen).toHaveLength(2)
    expect(seen).toContainEqual(['me', 'a', 1, true])
    expect(Object.prototype.toString.call(map)).toBe('[object MeshMap]')
    expect([map.delete('a'), map.delete('a'), map.size]).toEqual([true, false, 1])
    map.clear()
    expect([map.size, map.has('b'), [...map]]).toEqual([0, false, []])
  })

  test('any text may be a key, on the way too', () => {
    const [a, b] = [mapOf<number>(one), mapOf<number>(other)]
    const keys = [
      '',
      '__proto__',
      'constructor',
      '\0',
      'ü',
      '\u{1F600}',
      '\ud800',
      'x'.repeat(2000),
      'ÿ'.repeat(2000),
      '語'.repeat(2000),
    ]
    for (const [at, key] of keys.entries()) a.set(key, at)
    peers.settle()
    expect(new Map(b)).toEqual(new Map(a))
    expect(b.size).toBe(keys.length)
  })

  test('it may be changed while it is iterated', () => {
    const map = mapOf<number>(one)
    for (let at = 0; at < 100; at++) map.set(`k${at}`, at)
    for (const key of map.keys()) map.delete(key)
    expect(map.size).toBe(0)
  })

  test.each([
    ['a key that is no text', () => mapOf(one).set(5 as never, 1), 'ERR_KEY'],
    ['a key that is too long', () => mapOf(one).set('x'.repeat(2001), 1), 'ERR_KEY'],
    ['a value without a form', () => mapOf(one).set('k', Symbol('s')), 'ERR_VALUE'],
    ['an instance', () => mapOf(one).set('k', new (class Row {})()), 'ERR_VALUE'],
    ['a ttl of nothing', () => mapOf(one).set('k', 1, { ttl: 0 }), 'ERR_OPTION'],
    ['an unknown sync', () => mapOf(one, { sync: 'some' as never }), 'ERR_OPTION'],
    ['an unknown conflict', () => mapOf(one, { conflict: 'first' as never }), 'ERR_OPTION'],
    ['half an entry', () => mapOf(one, { maxEntries: 0.5 }), 'ERR_OPTION'],
  ])('%s is refused', (_, run, code) => {
    expect(run).toThrow(expect.objectContaining({ code }))
  })

  test('after the mesh is left it can be read, and not written', () => {
    const map = mapOf(one)
    map.set('k', 1)
    mesh.isClosed = true
    expect(map.get('k')).toBe(1)
    for (const run of [() => map.set('k', 2), () => map.delete('k'), () => map.clear()])
      expect(run).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }))
    expect(map.get('k')).toBe(1)
  })

  test('beyond maxUnsent set throws, pressure says how near that is, and nothing was changed', () => {
    const map = mapOf<number>(one, { maxUnsent: 4 })
    one.room = 0
    for (let at = 0; at < 3; at++) map.set(`k${at}`, at)
    peers.flush()
    expect(map.pressure).toBe(0.75)
    map.set('k3', 3)
    expect(() => map.set('k4', 4)).toThrow(expect.objectContaining({ code: 'ERR_MESH' }))
    expect(map.has('k4')).toBe(false)
    one.room = 1
    peers.flush()
    expect(map.pressure).toBe(0)
    map.set('k4', 4)
  })
})

describe('what happens is told', () => {
  test('per key, with reason and origin', () => {
    const [a, b] = [mapOf<number>(one), mapOf<number>(other)]
    a.set('k', 1)
    peers.settle()
    b.set('k', 2)
    b.delete('k')
    peers.settle()
    a.clear()
    peers.settle()
    expect(other.events).toEqual([
      ['set', { key: 'k', origin: one.id, local: false }],
      ['set', { key: 'k', origin: other.id, local: true }],
      ['remove', { key: 'k', reason: 'delete', origin: other.id, local: true }],
      ['clear', { origin: one.id, local: false }],
    ])
    expect(one.events).toEqual([
      ['set', { key: 'k', origin: one.id, local: true }],
      ['remove', { key: 'k', reason: 'delete', origin: other.id, local: false }],
      ['clear', { origin: one.id, local: true }],
    ])
  })

  test('eviction and expiry are local and told as such', () => {
    const a = mapOf<number>(one, { maxEntries: 2, ttl: '1s' })
    const b = mapOf<number>(other, { maxEntries: 10 })
    for (let at = 0; at < 3; at++) {
      a.set(`k${at}`, at)
      peers.settle()
    }
    expect([a.size, b.size]).toEqual([2, 3])
    peers.clock.advanceNow(1100)
    expect([b.has('k0'), b.has('k1'), b.has('k2')]).toEqual([false, false, false])
    const told = (peer: FixturePeer) =>
      peer.events.flatMap(([name, event]) => (name === 'remove' ? [event as { reason: string; local: boolean }] : []))
    expect(
      told(one)
        .map(({ reason }) => reason)
        .sort(),
    ).toEqual(['evict', 'expire', 'expire'])
    expect(told(other).every(({ reason, local }) => reason === 'expire' && local)).toBe(true)
  })

  test('a change of what was read within the window, once', () => {
    const [a, b] = [mapOf<number>(one), mapOf<number>(other, { readWindow: '5s' })]
    for (const key of ['k', 'late', 'unread']) a.set(key, 1)
    peers.settle()
    b.get('late')
    peers.clock.advanceNow(4000)
    b.get('k')
    peers.clock.advanceNow(1500)
    for (const key of ['k', 'late', 'unread']) a.set(key, 2)
    peers.settle()
    a.delete('k')
    peers.settle()
    const told = other.events.filter(([name]) => name === 'overtaken')
    expect(told).toEqual([['overtaken', { key: 'k', readAgoMs: 1500, reason: 'set', origin: one.id }]])
  })

  test('changes that did not know of each other; with the policy evict neither stays, anywhere', () => {
    const third = peers.join()
    const maps = [one, other, third].map((peer) => mapOf<string>(peer, { conflict: 'evict' }))
    maps[0]!.set('k', 'a')
    maps[1]!.set('k', 'b')
    peers.settle()
    expect(maps.map((map) => map.has('k'))).toEqual([false, false, false])
    for (const peer of [one, other, third]) expect(peer.events.filter(([name]) => name === 'conflict')).toHaveLength(1)
    const winner = other.id
    expect(one.events.find(([name]) => name === 'conflict')).toEqual([
      'conflict',
      { key: 'k', winner, loser: one.id, policy: 'evict' },
    ])
    maps[0]!.set('k', 'c')
    peers.settle()
    expect(maps.map((map) => map.get('k'))).toEqual(['c', 'c', 'c'])
  })

  test('options that do not fit those of a peer, once', () => {
    const a = mapOf<number>(one, { sync: 'part' })
    const b = mapOf<number>(other, { sync: 'invalidate' })
    a.set('k', 1)
    a.set('l', 1)
    peers.settleMessages()
    expect(other.events.filter(([name]) => name === 'mismatch')).toEqual([
      ['mismatch', { peer: one.id, sync: 'part', bounded: true }],
    ])
    expect(b.size).toBe(0)
  })
})

describe('what each sync promises', () => {
  test('part: who holds the key gets the value, others stay without', () => {
    const third = peers.join()
    const [a, b, c] = [one, other, third].map((peer) => mapOf<number>(peer, { sync: 'part' })) as [
      MeshMap<number>,
      MeshMap<number>,
      MeshMap<number>,
    ]
    a.set('k', 1)
    peers.settle()
    expect([b.has('k'), c.has('k')]).toEqual([false, false])
    b.set('k', 2)
    peers.settle()
    expect([a.get('k'), b.get('k'), c.has('k')]).toEqual([2, 2, false])
    c.delete('k')
    peers.settle()
    expect([a.has('k'), b.has('k'), c.has('k')]).toEqual([false, false, false])
  })

  test('invalidate: a change voids the copies of the others, and no value travels', () => {
    const [a, b] = [mapOf<string>(one, { sync: 'invalidate' }), mapOf<string>(other, { sync: 'invalidate' })]
    a.set('k', 'a')
    b.set('l', 'b')
    peers.settle()
    b.set('k', 'the newer one')
    peers.settle()
    expect([a.has('k'), b.get('k'), b.get('l')]).toEqual([false, 'the newer one', 'b'])
    expect(one.events.at(-1)).toEqual(['remove', { key: 'k', reason: 'invalidate', origin: other.id, local: false }])
    for (const body of other.sentBodies) expect(Buffer.from(body).includes('newer')).toBe(false)
  })

  test.each(['part', 'invalidate'] as const)(
    '%s: what a lost message would have voided is voided by comparing states',
    (sync) => {
      const [a, b] = [mapOf<number>(one, { sync }), mapOf<number>(other, { sync })]
      a.set('k', 1)
      peers.settle()
      b.set('k', 2)
      peers.flush()
      peers.flights.length = 0
      peers.settle()
      expect(a.get('k')).not.toBe(1)
    },
  )

  test.each(['part', 'invalidate'] as const)(
    '%s: after a longer absence than changes are remembered, copies are dropped',
    (sync) => {
      const [a, b] = [mapOf<number>(one, { sync }), mapOf<number>(other, { sync })]
      b.set('seen', 1)
      a.set('k', 1)
      peers.settle()
      peers.cuts.add(`${other.id}>${one.id}`)
      b.set('k', 2)
      peers.settleMessages()
      for (let minute = 0; minute < 11; minute++) peers.clock.advanceNow(60_000)
      peers.cuts.clear()
      one.replica.lost(other.id)
      peers.settle()
      expect(a.has('k')).toBe(false)
      expect(one.events.at(-1)).toEqual(['reset', { reason: 'away' }])
    },
  )
})

describe('as a dictionary', () => {
  test('it is written and read like an object', () => {
    const a = asDictionary(mapOf<unknown>(one))
    const b = asDictionary(mapOf<unknown>(other))
    a.price = 5
    const proto = '__proto__'
    a[proto] = 'a key like any other'
    Object.assign(a, { toString: null })
    peers.settle()
    expect(b.price).toBe(5)
    expect(['price' in b, 'none' in b, 'hasOwnProperty' in b]).toEqual([true, false, false])
    expect(Object.keys(b).sort()).toEqual(['__proto__', 'price', 'toString'])
    expect(Object.entries({ ...b }).length).toBe(3)
    expect(JSON.parse(JSON.stringify(b))).toMatchObject({ price: 5, toString: null })
    const names: string[] = []
    for (const name in b) names.push(name)
    expect(names).toHaveLength(3)
    delete b.price
    peers.settle()
    expect('price' in a).toBe(false)
    expect(a.none).toBeUndefined()
    expect(Object.getPrototypeOf(a)).toBe(null)
    expect(() => Object.freeze(a)).toThrow(TypeError)
    expect(() => Object.defineProperty(a, 'x', { get: () => 1 })).toThrow(TypeError)
  })

  test('defining a field keeps its value, and is refused where it would be another kind of field', () => {
    const map = mapOf<unknown>(one)
    const a = asDictionary(map)
    a.x = 1
    Object.defineProperty(a, 'x', { enumerable: true })
    expect(a.x).toBe(1)
    Object.defineProperty(a, 'y', { value: 2 })
    expect(map.get('y')).toBe(2)
    for (const name of ['writable', 'enumerable', 'configurable'])
      expect(() => Object.defineProperty(a, 'x', { value: 3, [name]: false })).toThrow(TypeError)
    const heir = Object.create(a) as Record<string, unknown>
    heir.z = 3
    expect([heir.z, heir.x, map.has('z')]).toEqual([3, 1, false])
  })

  test('printed, it shows what is held, as the map does', () => {
    const map = mapOf<unknown>(one).set('tea', 450)
    expect(inspect(asDictionary(map))).toBe('{ tea: 450 }')
    expect(inspect(map)).toBe("Map(1) { 'tea' => 450 }")
  })
})
