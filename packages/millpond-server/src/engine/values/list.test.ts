import { describe, expect, test } from 'vitest'
import { List } from './list.ts'

/** Numbers from 0 to below 1, the same ones for a seed. */
function draws(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
}

function check(list: List, model: readonly string[], seed: number): void {
  expect(list.size, `seed ${seed}`).toBe(model.length)
  expect([...list.forward()], `seed ${seed}`).toEqual(model)
}

describe('a list', () => {
  test('does what an array does, whatever comes', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = draws(seed)
      const list = new List()
      const model: string[] = []
      const empty = list.weight
      for (let step = 0; step < 400; step++) {
        const text = String(random(50))
        const index = random(model.length + 1)
        const changes = [
          () => [list.pushHead(text), model.unshift(text)],
          () => [list.pushTail(text), model.push(text)],
          () => [list.insert(index, text), model.splice(index, 0, text)],
          () => model.length > 0 && expect(list.popHead()).toBe(model.shift()),
          () => model.length > 0 && expect(list.popTail()).toBe(model.pop()),
          () => {
            expect(list.set(index, text)).toBe(index < model.length)
            if (index < model.length) model[index] = text
          },
          () => {
            const count = random(Math.min(20, model.length - index + 1))
            list.removeRange(index, count)
            model.splice(index, count)
          },
        ]
        const growing = step % 200 < 150
        const change = growing && random(3) > 0 ? random(3) : random(changes.length)
        for (let times = 0; times < (change < 2 ? 1 + random(30) : 1); times++) changes[change]!()
      }
      check(list, model, seed)
      expect([...list.backward()]).toEqual(model.toReversed())
      const from = random(model.length + 1)
      expect([...list.forward(from)]).toEqual(model.slice(from))
      expect(list.slice(from, model.length)).toEqual(model.slice(from))
      expect(list.at(-1)).toBe(model.at(-1))
      list.removeRange(0, list.size)
      expect(list.weight).toBe(empty)
    }
  })

  test('removes what equals from either end', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = draws(seed)
      const list = new List()
      const model = Array.from({ length: 500 }, () => String(random(4)))
      for (const text of model) list.pushTail(text)
      const count = random(200)
      const fromTail = random(2) === 1
      let left = count
      const keep = (text: string): boolean => text !== '2' || left-- <= 0
      const expected = fromTail ? model.toReversed().filter(keep).toReversed() : model.filter(keep)
      expect(list.removeEqual('2', count, fromTail)).toBe(model.length - expected.length)
      check(list, expected, seed)
    }
  })

  test('gives no element for an index outside', () => {
    const list = new List()
    list.pushTail('a')
    expect([list.at(0), list.at(-1), list.at(1), list.at(-2)]).toEqual(['a', 'a', undefined, undefined])
    expect(list.set(1, 'b')).toBe(false)
  })

  test('is copied without anything in common', () => {
    const list = new List()
    for (let at = 0; at < 300; at++) list.pushTail(String(at))
    const twin = list.clone()
    twin.popHead()
    expect(list.size).toBe(300)
    expect(twin.at(0)).toBe('1')
    expect(twin.weight).toBeLessThan(list.weight)
  })
})
