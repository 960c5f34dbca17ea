import { deserialize, serialize } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ValueError } from '../../core/errors.ts'
import { seededRandom } from '../../core/random.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { valueCodec } from './value-codec.ts'

const through = (value: unknown): unknown => valueCodec.decode(valueCodec.encode(value))

describe('values come back as they were', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['false', false],
    ['whole numbers', [0, 63, 64, 127, 128, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]],
    ['below zero', [-1, -64, -128, -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER]],
    ['other numbers', [0.5, -0, 2 ** 53, 1e300, Number.MIN_VALUE, Number.NaN, Infinity, -Infinity]],
    ['bigints', [0n, 1n, -1n, 255n, 256n, -(2n ** 200n), 2n ** 200n + 1n]],
    ['texts', ['', 'a', 'é'.repeat(63), 'é'.repeat(64), 'x'.repeat(70_000), 'ż', '水車小屋', '🦆', 'ż'.repeat(100)]],
    ['texts that no UTF-8 holds', ['\ud800', 'a\udc00b', `${'x'.repeat(100)}\ud83e`]],
    ['bytes', [new Uint8Array(0), Uint8Array.of(1, 2, 255), Buffer.from('mill')]],
    ['dates', [new Date(0), new Date(-1), new Date(8.64e15), new Date(Number.NaN)]],
    [
      'maps',
      [
        new Map(),
        new Map<unknown, unknown>([
          ['a', 1],
          [{ b: 1 }, new Map([[1, 2]])],
        ]),
      ],
    ],
    ['sets', [new Set(), new Set([1, 'a', null, [1]])]],
    ['arrays', [[], [[]], Array.from({ length: 31 }, (_, at) => at), Array.from({ length: 500 }, (_, at) => `${at}`)]],
    [
      'objects',
      [
        {},
        { a: { b: { c: [1, { d: undefined }] } } },
        Object.fromEntries(Array.from({ length: 99 }, (_, at) => [`ż${at}`, at])),
      ],
    ],
  ])('%s', (_, value) => {
    expect(through(value)).toStrictEqual(value)
  })

  test('whatever they are made of', () => {
    const value = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: false,
      maxDepth: 6,
    })
    fc.assert(
      fc.property(value, (value) => {
        expect(through(value)).toStrictEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  test('bytes are copies, and encodings stay as they are', () => {
    const bytes = Uint8Array.of(1, 2, 3)
    const encoded = valueCodec.encode([bytes, 'first'])
    valueCodec.encode('second')
    const [back] = valueCodec.decode(encoded) as [Uint8Array]
    encoded.fill(0)
    expect(back).toEqual(bytes)
  })

  test('gaps are undefined, objects without a prototype are ordinary, symbols are left out', () => {
    const bare = Object.assign(Object.create(null), { a: 1, [Symbol('b')]: 2 })
    const gappy = new Array<number>(3)
    gappy[0] = 1
    gappy[2] = 3
    expect(through([bare, gappy])).toStrictEqual([{ a: 1 }, [1, undefined, 3]])
  })

  test('a field called __proto__ is a field', () => {
    const value = JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}}}')
    const back = through(value) as Record<string, unknown>
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(Object.keys(back)).toEqual(['__proto__', 'constructor'])
    expect('isAdmin' in back).toBe(false)
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })
})

describe('what has no form is refused', () => {
  class Mill {}
  class MillMap extends Map {}
  const cycle: unknown[] = []
  cycle.push(cycle)
  test.each([
    ['a function', () => {}, 'function'],
    ['a symbol', Symbol('x'), 'symbol'],
    ['an instance', [new Mill()], 'Mill'],
    ['a subclass', new MillMap(), 'MillMap'],
    ['a regular expression', /x/, 'RegExp'],
    ['another array of numbers', new Float64Array(1), 'Float64Array'],
    ['a promise', Promise.resolve(1), 'Promise'],
    ['a false date', Object.create(Date.prototype), 'Date'],
    ['a cycle', cycle, 'cycle'],
    ['too much', new Uint8Array(16 * 1024 * 1024), 'more than 16777216 bytes'],
  ])('%s', (_, value, reason) => {
    expect(() => valueCodec.encode(value)).toThrow(reason)
    expect(() => valueCodec.encode(value)).toThrow(ValueError)
    expect(through('still works')).toBe('still works')
  })
})

describe('bytes of strangers', () => {
  test('100,000 random and damaged ones give a plain value or ValueError, and a value encodes again', () => {
    const seed = 4711
    const random = seededRandom(seed)
    const good = valueCodec.encode({
      a: [1, 'two', new Map([[3n, new Date(4)]])],
      b: { ż: new Set([null]), c: 'x'.repeat(99) },
    })
    let decoded = 0
    for (let run = 0; run < 100_000; run++) {
      const bytes =
        run % 2 === 0 ? Uint8Array.from({ length: 1 + random() * 40 }, () => random() * 256) : Uint8Array.from(good)
      if (run % 2 === 1) bytes[Math.floor(random() * bytes.length)] = random() * 256
      try {
        const value = valueCodec.decode(bytes)
        decoded++
        if (run % 50 === 0) valueCodec.encode(value)
      } catch (error) {
        if (!(error instanceof ValueError)) throw new Error(`seed ${seed}, run ${run}`, { cause: error })
      }
    }
    expect(decoded).toBeGreaterThan(1000)
  })

  test.each([
    ['nothing', []],
    ['a number that is cut', [0x04, 0x80]],
    ['a number that is too long', [0x04, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ['a text longer than the bytes', [0x09, 0xff, 0xff, 0xff, 0x7f, 65]],
    ['an array of four billion', [0x11, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['an array of more than follows', [0x11, 2, 0x01]],
    ['a field without a name', [0xe1, 0x81, 0x81]],
    ['an unknown tag', [0x3f]],
    ['101 levels', [...new Array(101).fill(0xc1), 0x01]],
    ['a million levels', new Array(1_000_000).fill(0xc1)],
    ['a rest', [0x01, 0x01]],
  ])('%s', (_, bytes) => {
    expect(() => valueCodec.decode(Uint8Array.from(bytes))).toThrow(ValueError)
  })

  test('a million empty arrays take memory in proportion', () => {
    const bytes = Buffer.concat([Buffer.from([0x11, 0xc0, 0x84, 0x3d]), Buffer.alloc(1_000_000, 0xc0)])
    expect(valueCodec.decode(bytes)).toHaveLength(1_000_000)
  })
})

test('numbers are written as they are read', () => {
  const writer = new ByteWriter(1 << 20, 1)
  const random = seededRandom(5)
  const numbers = Array.from({ length: 5000 }, () => Math.floor(2 ** (random() * 53)))
  for (const number of [...numbers, 0, 2 ** 53 - 1]) writer.varint(number)
  writer.double(0.1)
  writer.latin1('é'.repeat(30))
  const reader = new ByteReader().reset(Buffer.from(writer.written()))
  for (const number of [...numbers, 0, 2 ** 53 - 1]) expect(reader.varint()).toBe(number)
  expect(reader.double()).toBe(0.1)
  expect(reader.latin1(30)).toBe('é'.repeat(30))
  expect(reader.rest).toBe(0)
})

test('it takes no more bytes than JSON or structured clone for what caches hold', () => {
  const user = { id: 17, name: 'Ada Lovelace', tags: ['a', 'b'], active: true, score: 4.5, at: null }
  expect(valueCodec.encode(user).length).toBeLessThan(JSON.stringify(user).length)
  expect(valueCodec.encode(user).length).toBeLessThan(serialize(user).length)
  expect(deserialize(serialize(user))).toEqual(through(user))
})
