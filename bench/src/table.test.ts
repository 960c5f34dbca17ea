import { expect, it } from 'vitest'
import { atLeast, atMost, exactly, row } from './suite.ts'
import { readable, table } from './table.ts'

it('judges a row by its target, and leaves a row without one alone', () => {
  expect(row('a / b', { median: 1.3, low: 1.2, high: 1.4 }, 'times', atMost(1.25))).toEqual({
    name: 'a / b',
    value: 1.3,
    low: 1.2,
    high: 1.4,
    unit: 'times',
    target: '<= 1.25',
    pass: false,
  })
  expect(row('a', 26, 'times', atLeast(25))).toMatchObject({ target: '>= 25', pass: true })
  expect(row('a', 1, 'stale', exactly(0))).toMatchObject({ target: '= 0', pass: false })
  expect(row('a', 3, 'loads')).toEqual({ name: 'a', value: 3, unit: 'loads' })
})

it('writes numbers for people', () => {
  expect([0, 7, 1.234567, 0.000123456, 99.94, 123.4, 1234567].map(readable)).toEqual([
    '0',
    '7',
    '1.23',
    '0.000123',
    '99.9',
    '123',
    '1,234,567',
  ])
})

it('aligns the columns and says what missed its target', () => {
  const lines = table([
    row('millpond / peer', { median: 1.5, low: 1.4, high: 1.6 }, 'times', atMost(1.25)),
    row('loads', 1, 'loads', exactly(1)),
  ]).split('\n')
  expect(lines).toEqual([
    '                 median  middle half  unit    target',
    '---------------  ------  -----------  -----  -------  ------',
    'millpond / peer    1.50  1.40 - 1.60  times  <= 1.25  MISSED',
    'loads                 1               loads      = 1  pass',
  ])
})
