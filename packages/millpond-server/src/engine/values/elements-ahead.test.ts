import { expect, test } from 'vitest'
import { Dictionary } from './dictionary.ts'
import { ElementsAhead } from './elements-ahead.ts'

test.each([3, 40, 100_000])(
  'elements of a collection of %i are fetched without any change, be they there or not',
  (size) => {
    const dictionary = new Dictionary<string>()
    for (let at = 0; at < size; at++) dictionary.add(`field:${at}`, `value:${at}`)
    const ahead = new ElementsAhead()
    const other = new Dictionary<number>()
    for (let turn = 0; turn < 3; turn++) {
      for (let at = 0; at < 70; at++) {
        const name = Buffer.from(`field:${at * 997}`)
        ahead.add(at % 5 === 0 ? other : dictionary, name, 0, name.length)
      }
      ahead.fetch()
    }
    expect([dictionary.size, other.size]).toEqual([size, 0])
    for (let at = 0; at < size; at += 997) expect(dictionary.get(`field:${at}`)).toBe(`value:${at}`)
  },
)

test('touching reads names and values where they stand', () => {
  const dictionary = new Dictionary<number>()
  for (let at = 0; at < 1000; at++) dictionary.add(`name:${at}`, at)
  const touched = Array.from({ length: 1000 }, (_, at) => dictionary.touch(at))
  expect(touched.reduce((sum, length) => sum + length)).toBe(10 * 6 + 90 * 7 + 900 * 8)
})
