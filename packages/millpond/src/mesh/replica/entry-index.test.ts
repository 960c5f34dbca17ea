import { expect, test } from 'vitest'
import { seededRandom } from '../../core/random.ts'
import { Entry } from './entry.ts'
import { EntryIndex } from './entry-index.ts'

test('holds what a Map holds, through many additions and deletions', () => {
  const seed = Date.now()
  const random = seededRandom(seed)
  const index = new EntryIndex()
  const map = new Map<string, Entry>()
  for (let step = 0; step < 50_000; step++) {
    const key = `key-${Math.floor(random() * (step < 25_000 ? 2000 : 100))}`
    const entry = map.get(key)
    expect(index.get(key), `seed ${seed}`).toBe(entry)
    if (entry === undefined) {
      const added = new Entry(key, 0)
      map.set(key, added)
      index.add(added)
    } else if (random() < 0.6) {
      map.delete(key)
      expect(index.delete(entry)).toBe(true)
    }
  }
  expect(index.size).toBe(map.size)
  expect(new Set(index.values()), `seed ${seed}`).toEqual(new Set(map.values()))
})

test('takes out the very entry only, and forgets all at once', () => {
  const index = new EntryIndex()
  const entry = new Entry('one', 0)
  index.add(entry)
  expect(index.delete(new Entry('one', 0))).toBe(false)
  expect(index.get('one')).toBe(entry)
  index.clear()
  expect([index.get('one'), index.size, [...index.values()]]).toEqual([undefined, 0, []])
  index.add(entry)
  expect(index.get('one')).toBe(entry)
})
