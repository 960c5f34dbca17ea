import { expect, test } from 'vitest'
import { AccessKeys } from './access-keys.ts'
import { KeptFile } from './kept-file.ts'

test('one is made anew while the other goes on', () => {
  const keys = new AccessKeys(new KeptFile(undefined))
  const replaced: string[] = []
  keys.onReplaced = (cache, key) => void replaced.push(`${cache} ${key}`)
  expect(keys.find('shop', '')).toBe(undefined)
  const primary = keys.regenerate('shop', 'primary', 1)
  const secondary = keys.regenerate('shop', 'secondary', 2)
  expect(primary).not.toBe(secondary)
  expect(primary).toMatch(/^[\w-]{43}$/)
  expect(keys.find('shop', primary)).toBe('primary')
  expect(keys.find('shop', secondary)).toBe('secondary')
  expect(keys.find('bank', primary)).toBe(undefined)
  const next = keys.regenerate('shop', 'primary', 3)
  expect([primary, secondary, next].map((secret) => keys.find('shop', secret))).toEqual([
    undefined,
    'secondary',
    'primary',
  ])
  expect(replaced).toEqual(['shop primary', 'shop secondary', 'shop primary'])
  expect(keys.list('shop').toSorted((one, other) => one.createdAtMs - other.createdAtMs)).toEqual([
    { key: 'secondary', createdAtMs: 2 },
    { key: 'primary', createdAtMs: 3 },
  ])
  keys.forget('shop')
  expect(keys.find('shop', next)).toBe(undefined)
})
