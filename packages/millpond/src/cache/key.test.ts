import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyError } from '../core/errors.ts'
import { cacheKey } from './key.ts'

/** Strings that look like other kinds or like separators are the ones that collide in lesser encodings. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '1',
    '-0',
    '1e-7',
    '1n',
    'null',
    'undefined',
    'NaN',
    'true',
    'a,b',
    '[a]',
    '{a=1}',
    '"a"',
    '@0',
    'a\\"',
    '',
  ),
)
const part = fc.letrec((tie) => ({
  part: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    text,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.constantFrom(null, undefined, 0, -0, 1, 1n, Number.NaN, Number.POSITIVE_INFINITY),
    fc.array(tie('part'), { maxLength: 3 }),
    fc.dictionary(text, tie('part'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).part

describe('cacheKey', () => {
  it('gives different keys for different parts, and equal keys for equal ones', () => {
    const parts = fc.array(part, { maxLength: 3 })
    fc.assert(
      fc.property(parts, parts, (first, second) => {
        expect(cacheKey(...first) === cacheKey(...second)).toBe(isDeepStrictEqual(first, second))
      }),
      { numRuns: 3000 },
    )
  })

  it('gives different keys to all small parts, pair by pair', () => {
    const sample = fc.sample(part, { numRuns: 600, seed: 20261121 })
    const byKey = new Map<string, unknown>()
    for (const value of sample) {
      const key = cacheKey(value)
      if (byKey.has(key)) expect(isDeepStrictEqual(byKey.get(key), value), `${key} twice`).toBe(true)
      byKey.set(key, value)
    }
  })

  it.each([
    [['user:17'], 'user:17'],
    [['user', 17], 'user,17'],
    [['user', '17'], 'user,"17"'],
    [['a,b'], '"a,b"'],
    [[['a', 'b']], '[a,b]'],
    [[{ b: 1, a: [true, null] }], '{a=[true,null],b=1}'],
    [[-0, Number.NaN, 1n, undefined], '-0,NaN,1n,undefined'],
    [[new Date(5)], '@5'],
    [[], ''],
    [[''], '""'],
  ])('writes parts as readable text (case %#: %o)', (parts, key) => {
    expect(cacheKey(...parts)).toBe(key)
  })

  it('does not care in which order the keys of an object were written', () => {
    expect(cacheKey({ a: 1, b: 2 })).toBe(cacheKey({ b: 2, a: 1 }))
  })

  it('refuses what has no stable encoding, and says so', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    for (const bad of [() => 1, Symbol('s'), new Map(), new (class User {})(), { [Symbol('s')]: 1 }, cycle, /a/]) {
      expect(() => cacheKey('user', bad)).toThrow(KeyError)
    }
    expect(() => cacheKey(cycle)).toThrow('contains itself')
  })
})
