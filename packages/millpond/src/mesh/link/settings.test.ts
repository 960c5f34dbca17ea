import { expect, test } from 'vitest'
import { OptionError } from '../../core/errors.ts'
import { wholeLimits } from './settings.ts'

test('limits have defaults', () => {
  expect(wholeLimits()).toMatchObject({ ringDatagrams: 8192, ringBytes: 11_534_336, windowDatagrams: 2048 })
  expect(wholeLimits({ ringDatagrams: 256 }).windowDatagrams).toBe(128)
})

test.each([
  ['ringDatagrams', { ringDatagrams: 100 }],
  ['ringDatagrams', { ringDatagrams: 65_536 }],
  ['ringBytes', { ringBytes: 1000 }],
  ['windowDatagrams', { windowDatagrams: 4097 }],
  ['windowDatagrams', { windowDatagrams: 1.5 }],
  ['reassemblyBytes', { reassemblyBytes: 0 }],
  ['goneMax', { goneMax: 0 }],
])('%s is refused by name', (option, limits) => {
  expect(() => wholeLimits(limits)).toThrow(expect.objectContaining({ option }))
  expect(() => wholeLimits(limits)).toThrow(OptionError)
})
