import { describe, expect, test } from 'vitest'
import { seededRandom } from '../core/random.ts'
import { ArenaTable } from './arena-table.ts'

const MAX = '8mb'

describe.each([false, true])('parts of values, shared between threads: %s', (shared) => {
  test('are read and written as those of an array, in one chunk or a chain of them', () => {
    const table = new ArenaTable({ maxWeight: MAX })
    if (shared) table.share()
    const random = seededRandom(7)
    for (const length of [1, 40, 1000, 5000, 70_000, 600_000]) {
      const model = Uint8Array.from({ length }, () => random() * 256)
      table.set('key', model, { ttlMs: 60_000, flags: 1 })
      for (let round = 0; round < 40; round++) {
        const from = Math.floor(random() * length)
        const part = Uint8Array.from(
          { length: Math.ceil(random() * Math.min(3000, length - from)) },
          () => random() * 256,
        )
        expect(table.writePart(from, part, 2, 'key')).toBe(true)
        model.set(part, from)
        const target = new Uint8Array(4000)
        const at = Math.floor(random() * length)
        expect(table.readPart(target, at, 4000, 'key')).toBe(length)
        expect(Buffer.compare(target.subarray(0, length - at), model.subarray(at, at + 4000))).toBe(0)
      }
      const view = table.get('key')!
      expect(Buffer.compare(view.copy(), model)).toBe(0)
      expect([view.flags, view.expiresAtMs < Number.POSITIVE_INFINITY]).toEqual([2, true])
    }
    table.close()
  })

  test('a value may be given in two parts, and is one, whatever it replaces', () => {
    const table = new ArenaTable({ maxWeight: MAX })
    if (shared) table.share()
    const random = seededRandom(8)
    for (const length of [0, 1, 40, 1000, 5000, 16_300, 70_000, 600_000, 3]) {
      const value = Uint8Array.from({ length: length + 5 }, () => random() * 256)
      for (const tail of [new Uint8Array(0), value.slice(0, 12), value.slice(0, 4)]) {
        const end = value.length - 3
        expect(table.setBytes('key', undefined, undefined, value, 2, end, 9, undefined, 0, tail)).toBe(true)
        const view = table.get('key')!
        expect(Buffer.compare(view.copy(), Buffer.concat([value.subarray(2, end), tail]))).toBe(0)
        expect(view.flags).toBe(9)
      }
    }
    table.set('key', 'abc')
    expect(String(table.get('key'))).toBe('abc')
    table.close()
  })

  test('what reaches behind the end is not written, and nothing is read where there is nothing', () => {
    const table = new ArenaTable({ maxWeight: MAX })
    if (shared) table.share()
    table.set('key', 'abc')
    expect(table.writePart(2, new Uint8Array(2), 0, 'key')).toBe(false)
    expect(table.writePart(0, new Uint8Array(0), 0, 'none')).toBe(false)
    expect(table.readPart(new Uint8Array(1), 0, 1, 'none')).toBe(-1)
    expect(table.readPart(new Uint8Array(1), 3, 1, 'key')).toBe(3)
    expect(String(table.get('key'))).toBe('abc')
    table.close()
  })

  test('a glance tells all but the bytes', () => {
    const table = new ArenaTable({ maxWeight: MAX })
    if (shared) table.share()
    table.set('key', new Uint8Array(500_000), { flags: 3 })
    const view = table.glance('key')!
    expect([view.length, view.flags, view.bytes.length]).toEqual([500_000, 3, 0])
    expect(table.glance('none')).toBeUndefined()
    table.close()
  })

  test('the value that was shown is written over in place, where it was not shown as a copy', () => {
    const table = new ArenaTable({ maxWeight: MAX })
    if (shared) table.share()
    table.set('key', 'abc')
    const done = table.overwrite(table.get('key')!, Buffer.from('-xyz-'), 1, 4)
    expect(done).toBe(!shared)
    expect(String(table.get('key'))).toBe(shared ? 'abc' : 'xyz')
    expect(table.overwrite(table.get('key')!, Buffer.from('longer'), 0, 6)).toBe(false)
    table.close()
  })
})
