import { describe, expect, test } from 'vitest'
import { LongDouble } from './long-double.ts'
import { formatDouble } from './numbers.ts'

const sum = (one: string, other: string): string => String(LongDouble.parse(one)!.plus(LongDouble.parse(other)!))

// What is expected was printed by redis-server 7.0.15 on x86-64.
describe('sums in 64 bits', () => {
  test.each([
    ['0', '0.1', '0.1'],
    ['0.1', '0.2', '0.3'],
    ['1.5', '1.5', '3'],
    ['17179869184', '1.5', '17179869185.5'],
    ['1', '-1.1', '-0.1'],
    ['3.0e3', '200', '3200'],
    ['10.50', '0.1', '10.6'],
    ['5.0e-20', '0', '0'],
    ['1e17', '0.01', '100000000000000000.0078125'],
    ['-1e-30', '0', '0'],
    ['0x10', '0x.8p1', '17'],
    ['123456789012345678901234567890', '0', '123456789012345678899921813504'],
  ])('%s + %s = %s', (one, other, expected) => {
    expect(sum(one, other)).toBe(expected)
  })

  test('a number and its opposite leave nothing, not even a sign', () => {
    expect(sum('0.024390243902439025', '-0.024390243902439025')).toBe('0')
  })

  test.each([
    '',
    ' 1',
    '1 ',
    'a',
    '1a',
    '1e',
    '.',
    '+',
    'nan',
    '1e5000',
    '1e-5000',
    '0x',
    '1e99999999999999999999',
    '1\0',
  ])('are not made of %j', (text) => {
    expect(LongDouble.parse(text)).toBeUndefined()
  })

  test('beyond all numbers are infinite', () => {
    expect(LongDouble.parse('-inf')!.finite).toBe(false)
    const most = LongDouble.parse('1.18e4932')!
    expect(most.finite).toBe(true)
    expect(most.plus(most).finite).toBe(false)
  })
})

describe('a double', () => {
  test.each([
    [0, '0'],
    [-0, '-0'],
    [3, '3'],
    [-17.5, '-17.5'],
    [0.1, '0.10000000000000001'],
    [1e15, '1000000000000000'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e17, '1e+17'],
    [1e16, '10000000000000000'],
    [0.0001, '0.0001'],
    [0.00001, '1.0000000000000001e-05'],
    [9.8813129168249309e-323, '9.8813129168249309e-323'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [Number.NaN, 'nan'],
  ])('%d is written %s', (value, expected) => {
    expect(formatDouble(value)).toBe(expected)
  })
})
