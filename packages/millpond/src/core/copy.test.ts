import { describe, expect, test } from 'vitest'
import { deepCopy, deepFreeze } from './copy.ts'

class Row {
  readonly parsers = { date: { parse: () => 1 } }
  readonly inner = new Inner()
  readonly bytes = new Uint8Array([1])
  name = 'ada'
}

class Inner {
  count = 0
}

describe('deepFreeze', () => {
  test('freezes plain data all the way down, cycles included', () => {
    const value: { list: { deep: number[] }[]; self?: unknown } = { list: [{ deep: [1] }] }
    value.self = value
    expect(deepFreeze(value)).toBe(false)
    expect(Object.isFrozen(value)).toBe(true)
    expect(Object.isFrozen(value.list[0]!.deep)).toBe(true)
  })

  test('dates, maps and sets can be read and not changed', () => {
    const value = { date: new Date(5), map: new Map([['a', [1]]]), set: new Set([1]) }
    deepFreeze(value)
    const changes = [
      () => value.date.setTime(9),
      () => value.date.setFullYear(1999),
      () => value.map.set('b', []),
      () => value.map.delete('a'),
      () => value.map.clear(),
      () => value.map.get('a')!.push(2),
      () => value.set.add(2),
    ]
    for (const change of changes) expect(change).toThrow(TypeError)
    expect([value.date.getTime(), value.map.size, value.set.has(1)]).toEqual([5, 1, true])
    expect(value).toEqual({ date: new Date(5), map: new Map([['a', [1]]]), set: new Set([1]) })
    expect(() => deepFreeze(value)).not.toThrow()
  })

  test('tells of bytes, which cannot be frozen', () => {
    expect(deepFreeze({ deep: [new Uint8Array(1)] })).toBe(true)
    expect(deepFreeze(new Map([['a', new ArrayBuffer(1)]]))).toBe(true)
    expect(deepFreeze([1, 'a', null, undefined])).toBe(false)
  })

  test('an instance is frozen with its plain data; instances and bytes inside it are left alone', () => {
    const row = new Row()
    expect(deepFreeze({ row })).toBe(false)
    expect(Object.isFrozen(row)).toBe(true)
    expect(Object.isFrozen(row.parsers.date)).toBe(true)
    row.inner.count++
    expect(row.inner.count).toBe(1)
  })
})

describe('deepCopy', () => {
  const value = () => ({
    date: new Date(5),
    map: new Map([['a', { deep: [1] }]]),
    set: new Set(['x']),
    bytes: new Uint8Array([1, 2]).subarray(1),
    view: new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1),
    buffer: new Uint8Array([7]).buffer,
    floats: new Float64Array([0.5]),
    holes: [undefined, null],
    ['__proto__']: { own: true },
  })

  test.each([true, false])('keeps types and values, and shares nothing that can change (frozen: %s)', (frozen) => {
    const original = value()
    const copy = deepCopy(original, frozen)
    expect(copy).toEqual(original)
    expect(copy.floats).toBeInstanceOf(Float64Array)
    expect(copy.view.getUint8(0)).toBe(2)
    original.bytes[0] = 9
    original.map.get('a')!.deep.push(2)
    original.date.setTime(9)
    expect(copy).toEqual(value())
    expect(Object.isFrozen(copy)).toBe(frozen)
  })

  test('an object that occurs twice occurs twice in the copy, cycles included', () => {
    const part = { n: 1 }
    const original: { a: object; b: object; self?: object } = { a: part, b: part }
    original.self = original
    const copy = deepCopy(original, false)
    expect(copy.a).toBe(copy.b)
    expect(copy.self).toBe(copy)
    expect(copy.a).not.toBe(part)
  })

  test('functions are refused, except beside bytes in a frozen value', () => {
    const parse = () => 1
    expect(() => deepCopy({ parse }, false)).toThrow(expect.objectContaining({ code: 'ERR_VALUE' }))
    const row = new Row()
    const value = { row, parse, url: new URL('http://localhost/'), bytes: new Uint8Array([1]) }
    expect(deepFreeze(value)).toBe(true)
    const copy = deepCopy(value, true)
    expect(copy.row).toBe(row)
    expect([copy.parse, copy.url]).toEqual([parse, value.url])
    expect(copy.bytes).not.toBe(value.bytes)
  })
})
