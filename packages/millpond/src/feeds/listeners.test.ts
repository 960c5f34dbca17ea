import { expect, test } from 'vitest'
import { Listeners } from './listeners.ts'

test('a listener that throws is reported, and the others are told', () => {
  const errors: unknown[] = []
  const listeners = new Listeners({ warn() {}, error: (details) => errors.push(details) })
  const heard: string[] = []
  const bad = {
    invalidate: () => {
      throw new Error('no')
    },
    settle() {},
    reset() {},
  }
  const good = { invalidate: (tags: readonly string[]) => heard.push(...tags), settle() {}, reset() {} }
  listeners.add(bad)
  const leave = listeners.add(good)
  listeners.add(good)
  listeners.invalidate(['t'])
  expect(heard).toEqual(['t', 't'])
  expect(errors).toHaveLength(1)
  expect([leave(), leave()]).toEqual([true, false])
  expect(listeners.size).toBe(2)
})
