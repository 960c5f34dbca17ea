import fc from 'fast-check'
import { expect, test } from 'vitest'
import { innerKey } from '../cache/inner-key.ts'
import { storedKey, storedOf, storedTag } from './stored-name.ts'

const text = fc.string({ unit: 'binary' })

test('what a name stands for is what it was made of', () => {
  const prefix = fc.constantFrom('', '\0users:', '\0users/eu:')
  fc.assert(
    fc.property(prefix, text, (prefix, key) => {
      const inner = innerKey(prefix, key)
      expect(storedOf(storedKey('shop.eu', inner))).toEqual({ cache: 'shop.eu', key: inner })
    }),
  )
  fc.assert(
    fc.property(text, (tag) => {
      expect(storedOf(storedTag('shop', tag))).toEqual({ cache: 'shop', tag })
    }),
  )
})

test('a name that no cache makes stands for nothing', () => {
  for (const name of ['', 'shop', ':17', '#tag', 'a b:17', '@shop:17']) expect(storedOf(name)).toBeUndefined()
})

test('names look as the documentation says', () => {
  expect(storedKey('shop', '17')).toBe('shop:17')
  expect(storedKey('shop', '\0users:17')).toBe('shop/users:17')
  expect(storedKey('shop', '\0:\0odd')).toBe('shop:\0odd')
  expect(storedTag('shop', 'hot')).toBe('shop#hot')
})
