import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HashIndex } from './hash-index.ts'

test('finds what a Map would find, however the hashes collide', () => {
  const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 40 }))
  const collisions = fc.constantFrom(1, 3, 7, 1000)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), collisions, (steps, spread) => {
      const hash = (id: number) => (id % spread) - 2
      let index = new HashIndex(8)
      const items: unknown[] = []
      const model = new Map<number, number>()
      let slots = 8
      for (const [add, id] of steps) {
        if (add && !model.has(id)) {
          let slot = 0
          while (items[slot * 2] !== undefined) slot++
          if (slot === slots) index.grow((slots *= 2))
          items[slot * 2] = `${id}`
          index.add(hash(id), slot)
          model.set(id, slot)
        } else if (!add && model.has(id)) {
          index.remove(hash(id), model.get(id)!)
          items[model.get(id)! * 2] = undefined
          model.delete(id)
        }
        for (let other = 0; other <= 40; other++)
          expect(index.find(hash(other), `${other}`, items)).toBe(model.get(other) ?? -1)
      }
      index.clear()
      expect(index.find(hash(1), '1', items)).toBe(-1)
      index = new HashIndex(1)
    }),
    { numRuns: 60 },
  )
})
