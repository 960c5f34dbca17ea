import { expect, test } from 'vitest'
import { Entry } from './entry.ts'
import { Unsent } from './unsent.ts'

const entries = ['a', 'b', 'c'].map((key, at) => new Entry(key, at))
const [a, b, c] = entries as [Entry, Entry, Entry]

test('each key once, in the order in which they first changed', () => {
  const unsent = new Unsent()
  for (const entry of [a, b, a, c, b]) unsent.add(entry)
  expect([unsent.size, unsent.conflated]).toEqual([3, 2])
  const order: string[] = []
  for (let entry = unsent.first(); entry; entry = unsent.first()) {
    order.push(entry.key)
    unsent.took(entry)
    if (order.length === 1) unsent.add(a)
  }
  expect(order).toEqual(['a', 'b', 'c', 'a'])
  unsent.add(b)
  expect(unsent.first()).toBe(b)
})

test('a mark is reached with the message of the last key that waited then', () => {
  const unsent = new Unsent()
  const reached: [string, number][] = []
  expect(unsent.mark(() => {})).toBe(false)
  unsent.add(a)
  unsent.add(b)
  unsent.mark((seq) => reached.push(['both', seq]))
  unsent.add(c)
  unsent.add(a)
  unsent.mark((seq) => reached.push(['all', seq]))
  unsent.took(unsent.first()!)
  unsent.went(1)
  expect(reached).toEqual([])
  unsent.took(unsent.first()!)
  unsent.went(2)
  expect(reached).toEqual([['both', 2]])
  unsent.took(unsent.first()!)
  expect(reached).toHaveLength(1)
  unsent.went(3)
  expect(reached).toEqual([
    ['both', 2],
    ['all', 3],
  ])
})

test('a hundred thousand keys go out in time that does not grow with their square', () => {
  const unsent = new Unsent()
  const many = Array.from({ length: 100_000 }, (_, at) => new Entry(`k${at}`, at))
  for (const entry of many) unsent.add(entry)
  let count = 0
  for (let entry = unsent.first(); entry; entry = unsent.first()) {
    unsent.took(entry)
    count++
  }
  expect(count).toBe(100_000)
})
