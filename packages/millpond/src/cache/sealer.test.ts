import { describe, expect, test } from 'vitest'
import { jsonCodec } from '../core/codec.ts'
import { codecSealer, sealerOf, unsealed } from './sealer.ts'

const sealers = {
  freeze: sealerOf('freeze'),
  clone: sealerOf('clone'),
  reference: sealerOf('reference'),
  serialize: codecSealer(jsonCodec),
}

describe.each(Object.entries(sealers))('%s', (_, { seal, open, isOpen }) => {
  test.each<[string, unknown]>([
    ['an object', { a: [1, { b: new Date(1) }] }],
    ['bytes', { bytes: new Uint8Array([1, 2]) }],
    ['undefined', undefined],
    ['null', null],
    ['a string', 'text'],
  ])('%s is opened as it was sealed', (__, value) => {
    const sealed = seal(value, 'key')
    expect(open(sealed)).toEqual(value)
    expect(open(sealed)).toEqual(value)
    if (isOpen(sealed)) expect(sealed).toBe(open(sealed))
  })
})

test('freeze: readers share one object; bytes are copied for each', () => {
  const { seal, open } = sealers.freeze
  const plain = seal({ a: 1 }, 'key')
  expect(open(plain)).toBe(open(plain))
  const given = { bytes: new Uint8Array([1]), url: new URL('http://localhost/') }
  const sealed = seal(given, 'key')
  given.bytes[0] = 9
  const first = open(sealed) as typeof given
  first.bytes[0] = 8
  expect((open(sealed) as typeof given).bytes[0]).toBe(1)
  expect(unsealed(sealed)).toMatchObject({ bytes: new Uint8Array([1]) })
})

test('what cannot be copied or encoded is refused with its key and cause', () => {
  for (const { seal } of [sealers.clone, sealers.serialize]) {
    expect(() => seal({ f: () => 1 }, 'user:17')).toThrow(/user:17/)
    expect(() => seal(Symbol('s'), 'user:17')).toThrow(expect.objectContaining({ code: 'ERR_VALUE', key: 'user:17' }))
  }
})
