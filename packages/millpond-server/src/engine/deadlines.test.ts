import { expect, test } from 'vitest'
import { seededRandom } from '../../../millpond/src/core/random.ts'
import { Deadlines } from './deadlines.ts'

test('does what a map sorted by its moments does, whatever is set, moved, deleted and taken', () => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = seededRandom(seed)
    const deadlines = new Deadlines()
    const model = new Map<string, number>()
    for (let step = 0; step < 3000; step++) {
      const name = `name${Math.floor(random() * 300)}`
      const choice = random()
      if (choice < 0.6) {
        const atMs = Math.floor(random() * 1000)
        deadlines.set(name, atMs)
        model.set(name, atMs)
      } else if (choice < 0.85) {
        deadlines.delete(name)
        model.delete(name)
      } else {
        const nowMs = Math.floor(random() * 200)
        const most = Math.floor(random() * 20)
        const due = [...model].filter(([, atMs]) => atMs <= nowMs).map(([, atMs]) => atMs)
        const taken = deadlines.take(nowMs, most)
        const moments = taken.map((gone) => model.get(gone)!)
        expect(moments, `seed ${seed}`).toEqual(due.toSorted((one, other) => one - other).slice(0, most))
        for (const gone of taken) model.delete(gone)
      }
      expect(deadlines.get(name), `seed ${seed}`).toBe(model.get(name) ?? Infinity)
      expect(deadlines.earliestMs, `seed ${seed}`).toBeLessThanOrEqual(Math.min(Infinity, ...model.values()))
    }
    expect(deadlines.size).toBe(model.size)
    const twin = deadlines.clone()
    expect(twin.take(Infinity, Infinity).toSorted()).toEqual([...model.keys()].toSorted())
    expect(deadlines.size).toBe(model.size)
  }
})

test('a name that is moved over and over takes no more memory than one', () => {
  const deadlines = new Deadlines()
  for (let at = 0; at < 100_000; at++) deadlines.set('name', 100_000 - at)
  expect(deadlines.take(200_000, 10)).toEqual(['name'])
  expect(deadlines.earliestMs).toBe(Infinity)
})
