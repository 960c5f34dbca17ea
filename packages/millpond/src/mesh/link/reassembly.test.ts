import { expect, test } from 'vitest'
import { Reassembly } from './reassembly.ts'

const part = (text: string) => Buffer.from(text)
const read = (message: Uint8Array | undefined) => message && Buffer.from(message).toString()

test('puts a message together from parts in any order', () => {
  const reassembly = new Reassembly(1000, 100)
  expect(reassembly.add(5, 2, 3, part('c'))).toBeUndefined()
  expect(reassembly.add(5, 0, 3, part('aa'))).toBeUndefined()
  expect(reassembly.bytes).toBe(3)
  expect(read(reassembly.add(5, 1, 3, part('bb')))).toBe('aabbc')
  expect(reassembly).toMatchObject({ bytes: 0, unfinished: 0 })
})

test('keeps a copy: the bytes of a datagram are used again', () => {
  const reassembly = new Reassembly(1000, 100)
  const bytes = part('aa')
  reassembly.add(5, 0, 2, bytes)
  bytes.fill('x')
  expect(read(reassembly.add(5, 1, 2, part('b')))).toBe('aab')
})

test('takes nothing that makes no sense', () => {
  const reassembly = new Reassembly(1000, 10)
  reassembly.add(5, 0, 2, part('a'))
  expect(reassembly.add(5, 0, 2, part('a'))).toBeUndefined()
  expect(reassembly.add(5, 1, 3, part('a'))).toBeUndefined()
  expect(reassembly.add(5, 2, 2, part('a'))).toBeUndefined()
  expect(reassembly.add(9, 0, 1, part('a'))).toBeUndefined()
  expect(reassembly.add(5, 1, 2, part('0123456789'))).toBeUndefined()
  expect(reassembly).toMatchObject({ bytes: 1, unfinished: 1 })
})

test('forgets a message that can not be whole any more', () => {
  const reassembly = new Reassembly(1000, 100)
  reassembly.add(5, 0, 3, part('a'))
  reassembly.add(8, 0, 2, part('bb'))
  reassembly.settle(6)
  expect(reassembly.unfinished).toBe(2)
  reassembly.settle(7)
  expect(reassembly).toMatchObject({ bytes: 2, unfinished: 1 })
})

test('is bounded: the oldest message gives way', () => {
  const reassembly = new Reassembly(6, 100)
  for (let first = 10; first < 50; first += 10) reassembly.add(first, 0, 2, part('aa'))
  expect(reassembly).toMatchObject({ bytes: 6, unfinished: 3, overflows: 1 })
  expect(reassembly.add(10, 1, 2, part('b'))).toBeUndefined()
  expect(read(reassembly.add(40, 1, 2, part('b')))).toBe('aab')
})
