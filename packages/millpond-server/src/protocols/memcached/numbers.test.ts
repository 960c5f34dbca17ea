import { expect, test } from 'vitest'
import { readInt32, readUint32, readUint64 } from './numbers.ts'

const read = <T>(reader: (bytes: Buffer, start: number, end: number) => T, text: string): T =>
  reader(Buffer.from(`<${text}>`, 'latin1'), 1, text.length + 1)

test.each([
  ['0', 0],
  ['007', 7],
  ['-1', -1],
  ['+5', 5],
  ['\t12', 12],
  ['12\tx', 12],
  ['2147483648', -2147483648],
  ['4294967297', 1],
  ['', Number.NaN],
  ['x', Number.NaN],
  ['12x', Number.NaN],
  ['9223372036854775808', Number.NaN],
])('%j as 32 bits with a sign: %s', (text, value) => {
  expect(read(readInt32, text)).toBe(value)
})

test.each([
  ['4294967295', 4294967295],
  ['4294967296', 0],
  ['-1', Number.NaN],
  ['18446744073709551616', Number.NaN],
])('%j as 32 bits without one: %s', (text, value) => {
  expect(read(readUint32, text)).toBe(value)
})

test.each([
  ['18446744073709551615', 18446744073709551615n],
  ['18446744073709551616', undefined],
  ['-18446744073709551615', 1n],
  ['-1', undefined],
])('%j as 64 bits: %s', (text, value) => {
  expect(read(readUint64, text)).toBe(value)
})
