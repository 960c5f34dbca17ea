import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { jsonCodec } from './codec.ts'
import { ValueError } from './errors.ts'

const roundTrip = (value: unknown): unknown => jsonCodec.decode(jsonCodec.encode(value))

/** Everything that the codec promises to keep, nested at will. */
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, undefined, Number.NaN, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
    fc.float64Array(),
    fc.bigInt64Array(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.uint8Array().map((bytes) => bytes.slice().buffer),
    fc.constantFrom(/a\/[b]/giu, new URL('https://example.org/a?b=c#d')),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'constructor', 'toJSON')), tie('value')),
    fc.array(tie('value')).map((items) => new Set(items)),
    fc.array(fc.tuple(tie('value'), tie('value'))).map((items) => new Map(items)),
  ),
})).value

describe('jsonCodec', () => {
  it('gives back what it was given, types included', () => {
    fc.assert(
      fc.property(anything, (value) => {
        deepStrictEqual(roundTrip(value), withPrototypes(value))
      }),
      { numRuns: 1500 },
    )
  })

  it('gives back a date that is none', () => {
    // Apart from the rest: deepStrictEqual takes no such date for equal to another in each Node.
    const [back] = roundTrip([new Date(Number.NaN)]) as [Date]
    expect(back).toBeInstanceOf(Date)
    expect(back.getTime()).toBeNaN()
  })

  it('writes plain JSON values as plain JSON text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        fc.pre(!JSON.stringify(value).includes('"$"') && !hasNegativeZero(value))
        expect(jsonCodec.encode(value)).toBe(JSON.stringify(value))
      }),
    )
  })

  it('keeps a property that is undefined, in objects and in arrays', () => {
    const back = roundTrip({ a: undefined, b: [undefined, 1] }) as object
    expect(Object.keys(back)).toEqual(['a', 'b'])
    expect(back).toStrictEqual({ a: undefined, b: [undefined, 1] })
    expect(roundTrip(undefined)).toBeUndefined()
  })

  it('does not let a user forge a special value', () => {
    const forged = { $: ['Date', 0] }
    expect(roundTrip(forged)).toStrictEqual(forged)
    expect(roundTrip([forged, new Date(0)])).toStrictEqual([forged, new Date(0)])
    expect(jsonCodec.decode(JSON.stringify(forged))).toStrictEqual(forged)
  })

  it('keeps __proto__ a name like any other', () => {
    const value = JSON.parse('{"__proto__":{"admin":true},"when":0}')
    value.when = new Date(0)
    const inner = JSON.parse('{"__proto__":0}')
    Object.defineProperty(inner, '__proto__', { value: new Date(1), enumerable: true })
    const back = roundTrip([value, inner]) as Record<string, unknown>[]
    expect(Object.keys(back[0]!)).toEqual(['__proto__', 'when'])
    expect((back[0] as { admin?: boolean }).admin).toBeUndefined()
    expect(Object.getPrototypeOf(back[1])).toBe(Object.prototype)
    expect(Object.getOwnPropertyDescriptor(back[1], '__proto__')?.value).toEqual(new Date(1))
  })

  it('says where the value is that has no form', () => {
    class Money {
      amount = 1
    }
    class Index extends Map {}
    const cycle = { list: [] as unknown[] }
    cycle.list.push(0, { back: cycle })
    const at = (value: unknown, what: string) => {
      expect(() => jsonCodec.encode(value)).toThrow(ValueError)
      expect(() => jsonCodec.encode(value)).toThrow(what)
    }
    at({ rows: [1, { price: new Money() }] }, 'an instance of Money has no form as text (at value.rows[1].price)')
    at([[], () => 1], 'a function has no form as text (at value[1])')
    at({ a: { b: 1 }, c: Symbol('s') }, 'a symbol has no form as text (at value.c)')
    at(cycle, 'a cycle has no form as text (at value.list[1].back)')
    at(new Index(), 'an instance of Index')
    at({ a: Promise.resolve() }, 'an instance of Promise has no form as text (at value.a)')
    at(new Map([['k', new Error('x')]]), 'an instance of Error')
    at(Object('boxed'), 'an instance of String')
  })

  it('refuses endless nesting instead of overflowing the stack', () => {
    let deep: unknown = 1
    for (let level = 0; level < 20_000; level++) deep = [deep]
    expect(() => jsonCodec.encode(deep)).toThrow('nesting of more than 500 levels')
  })

  it('writes one object that occurs twice, twice', () => {
    const row = { id: 1 }
    expect(roundTrip([row, row])).toEqual([row, row])
  })

  it('refuses text of a later format and of an unknown kind', () => {
    expect(() => jsonCodec.decode('!2{}')).toThrow('later format')
    expect(() => jsonCodec.decode('!1{"$":["Function","x"]}')).toThrow('unknown kind Function')
    expect(() => jsonCodec.decode('{"cut')).toThrow(SyntaxError)
  })

  it('works where there is no Buffer', async () => {
    const kept = globalThis.Buffer
    const text = jsonCodec.encode(kept.from([0, 127, 255]))
    vi.resetModules()
    vi.stubGlobal('Buffer', undefined)
    try {
      const { jsonCodec: codec } = await import('./codec.ts')
      expect(codec.encode(new Uint8Array([0, 127, 255]))).toBe('!1{"$":["Uint8Array","AH//"]}')
      expect(codec.decode(text)).toStrictEqual(new Uint8Array([0, 127, 255]))
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

function hasNegativeZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasNegativeZero)
  return Object.is(value, -0)
}

/** fast-check also makes objects without a prototype; these come back as ordinary ones. */
function withPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPrototypes)
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [withPrototypes(key), withPrototypes(item)]))
  if (value instanceof Set) return new Set([...value].map(withPrototypes))
  if (typeof value !== 'object' || value === null) return value
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withPrototypes(item)]))
}
