import { describe, expect, test } from 'vitest'
import { EncodingLimits } from '../encoding-limits.ts'
import { HASH } from './hash.ts'

describe('a hash', () => {
  test('weighs the same whichever way it came to its fields', () => {
    const straight = HASH.create(new EncodingLimits())
    straight.set('a', '1')
    const round = HASH.create(new EncodingLimits())
    round.set('b', 'a long value')
    round.set('a', 'something else')
    round.set('a', '1')
    round.delete('b')
    expect(round.weight).toBe(straight.weight)
  })

  test('is said to be a hash table from a size or a length on, and stays so', () => {
    const limits = new EncodingLimits()
    limits.hashMaxListpackEntries = 3
    limits.hashMaxListpackValue = 5
    const many = HASH.create(limits)
    for (const field of ['a', 'b', 'c']) many.set(field, '')
    expect(many.encoding).toBe('listpack')
    many.set('d', '')
    many.delete('d')
    expect(many.encoding).toBe('hashtable')
    const long = HASH.create(limits)
    long.set('a', '12345')
    expect(long.encoding).toBe('listpack')
    long.set('a', '123456')
    expect(long.encoding).toBe('hashtable')
    expect(long.clone().encoding).toBe('hashtable')
  })

  test('lets fields expire one by one', () => {
    const hash = HASH.create(new EncodingLimits())
    for (const field of ['a', 'b', 'c']) hash.set(field, field)
    hash.setExpiry('a', 10)
    hash.setExpiry('b', 20)
    expect(hash.nextExpiryMs).toBe(10)
    expect(hash.removeExpired(9)).toEqual([])
    expect(hash.removeExpired(10)).toEqual(['a'])
    expect([...hash.fields()]).toEqual(['b', 'c'])
    expect(hash.removeExpired(20)).toEqual(['b'])
    expect(hash.nextExpiryMs).toBe(Infinity)
    expect(hash.removeExpired(1e9)).toEqual([])
  })

  test('a field that is written anew lives for ever, one that is changed keeps its expiry', () => {
    const hash = HASH.create(new EncodingLimits())
    hash.set('a', '1')
    hash.setExpiry('a', 10)
    hash.set('a', '2', true)
    expect(hash.expiresAtMs('a')).toBe(10)
    const twin = hash.clone()
    hash.set('a', '3')
    expect(hash.expiresAtMs('a')).toBe(Infinity)
    expect(twin.expiresAtMs('a')).toBe(10)
    expect(twin.get('a')).toBe('2')
  })
})
