import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../../millpond/src/core/random.ts'
import { Dictionary } from './dictionary.ts'

describe('a dictionary', () => {
  test('keeps the order of insertion, also after a name left and came back', () => {
    const words = new Dictionary<number>()
    expect(['b', 'a', 'c'].map((name, at) => words.set(name, at))).toEqual([true, true, true])
    expect(words.set('a', 7)).toBe(false)
    expect(words.delete('b')).toBe(true)
    expect(words.delete('b')).toBe(false)
    words.set('b', 9)
    expect([...words.entries()]).toEqual([
      ['a', 7],
      ['c', 2],
      ['b', 9],
    ])
  })

  test('weighs nothing when all has left, whatever was asked of it before', () => {
    const words = new Dictionary<number>()
    for (let at = 0; at < 10; at++) words.set(`word${at}`, at)
    expect(words.weight).toBeGreaterThan(10 * 'word0'.length)
    for (let at = 0; at < 10; at++) words.delete(`word${at}`)
    expect(words.weight).toBe(0)
  })

  test('has each name at one place', () => {
    const words = new Dictionary<number>()
    for (let at = 0; at < 50; at++) words.set(String(at), at)
    words.nameAt(0)
    for (const gone of [0, 49, 17, 48]) words.delete(String(gone))
    words.set('new', 1)
    const names = Array.from({ length: words.size }, (_, place) => words.nameAt(place))
    expect(names.toSorted()).toEqual([...words.names()].toSorted())
  })

  test('tells in steps all that stays, while others come and leave', () => {
    for (let seed = 1; seed <= 50; seed++) {
      let state = seed
      const random = (below: number): number => {
        state = (state * 48271) % 2147483647
        return state % below
      }
      const words = new Dictionary<boolean>()
      for (let at = 0; at < 100; at++) words.set(`stays${at}`, true)
      for (let at = 0; at < 100; at++) words.set(`goes${at}`, false)
      const told = new Set<string>()
      let cursor = 0
      do {
        cursor = words.scan(cursor, 1 + random(20), (name) => told.add(name))
        for (let change = 0; change < 10; change++) {
          if (random(2) === 0) words.delete(`goes${random(100)}`)
          else words.set(`comes${random(1000)}`, false)
        }
      } while (cursor !== 0)
      const missed = Array.from({ length: 100 }, (_, at) => `stays${at}`).filter((name) => !told.has(name))
      expect(missed, `seed ${seed}`).toEqual([])
    }
  })

  test('does what a Map does, asked by text and by bytes, whatever is added and removed', () => {
    for (let seed = 1; seed <= 3; seed++) {
      const random = seededRandom(seed)
      const words = new Dictionary<number>()
      const model = new Map<string, number>()
      const faults: number[] = []
      for (let step = 0; step < 4000; step++) {
        // Names are few, then many, then few again; some are long, and have all bytes.
        const name = `\xff${Math.floor(random() * (seed * 400))}${seed % 2 ? '\0'.repeat(60) : ''}`
        const bytes = Buffer.from(`>${name}<`, 'latin1')
        const place = words.placeOfBytes(bytes, 1, bytes.length - 1)
        if (words.placeOf(name) !== place) faults.push(step)
        if ((place === -1 ? undefined : words.valueAt(place)) !== model.get(name)) faults.push(step)
        if (random() < (step < 2500 ? 0.8 : 0.2)) {
          if (words.set(name, step) === model.has(name)) faults.push(step)
          model.set(name, step)
        } else if (words.delete(name) !== model.delete(name)) faults.push(step)
        if (words.size !== model.size) faults.push(step)
      }
      expect(faults, `seed ${seed}`).toEqual([])
      expect([...words.entries()].toSorted()).toEqual([...model].toSorted())
    }
  })

  test('of so many names that its index has parts: all are found where they are, however many come and leave', () => {
    const words = new Dictionary<number>()
    const wrong = (present: (at: number) => boolean): number[] => {
      const faults: number[] = []
      for (let at = 0; at < 200_000; at++) {
        const place = words.placeOf(`name ${at}`)
        const right =
          place === -1
            ? !present(at)
            : present(at) && words.nameAt(place) === `name ${at}` && words.valueAt(place) === at
        if (!right) faults.push(at)
      }
      return faults
    }
    for (let at = 0; at < 200_000; at++) words.add(`name ${at}`, at)
    expect(wrong(() => true)).toEqual([])
    for (let at = 0; at < 200_000; at++) if (at % 5 !== 0) words.delete(`name ${at}`)
    expect(wrong((at) => at % 5 === 0)).toEqual([])
    for (let at = 0; at < 200_000; at += 5) if (at % 1000 !== 0) words.delete(`name ${at}`)
    expect(wrong((at) => at % 1000 === 0)).toEqual([])
    expect([...words.values()].toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 200 }, (_, at) => at * 1000),
    )
    for (let at = 0; at < 100_000; at++) words.set(`name ${at}`, at)
    expect(wrong((at) => at < 100_000 || at % 1000 === 0)).toEqual([])
  })

  test('is copied without anything in common', () => {
    const words = new Dictionary<number>()
    words.set('a', 1)
    const twin = words.clone()
    twin.set('b', 2)
    expect([...words.names()]).toEqual(['a'])
    expect([...twin.entries()]).toEqual([
      ['a', 1],
      ['b', 2],
    ])
  })
})
