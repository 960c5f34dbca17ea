import { expect, test } from 'vitest'
import { seededRandom } from '../../../core/random.ts'
import { parameterKey } from './parameter-key.ts'

test('what PostgreSQL is sent as the same text has the same key', () => {
  for (const same of [
    ['5', 5, 5n],
    ['true', true],
    [null, undefined],
    [Buffer.from('ab'), new Uint8Array([97, 98])],
  ])
    expect(new Set(same.map((value) => parameterKey([value]))).size).toBe(1)
})

test('what means the moment, or has no sure text, has no key', () => {
  for (const value of ['now', ' Today ', {}, Symbol('no'), ['x', ['now']], Buffer.from('now')])
    expect(parameterKey([1, value])).toBeUndefined()
})

test('no two lists have one key', () => {
  const seed = 7
  const random = seededRandom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const texts = ['', ',', '1', '1:', 'null,', '1:1,', 'array 4:', 'date 0,', 'bytes 0:,', '"', 'é']
  const anyValue = (depth: number): unknown => {
    const kind = Math.floor(random() * (depth < 2 ? 5 : 4))
    if (kind === 0) return null
    if (kind === 1) return new Date(Math.floor(random() * 2))
    if (kind === 2) return Buffer.from(pick(texts))
    return kind === 3 ? pick(texts) : listOf(depth + 1)
  }
  const listOf = (depth: number): unknown[] => Array.from({ length: Math.floor(random() * 4) }, () => anyValue(depth))
  const seen = new Map<string, string>()
  for (let count = 0; count < 20_000; count++) {
    const list = listOf(0)
    const said = JSON.stringify(list, (_, value) => value)
    const key = parameterKey(list)!
    expect(seen.get(key) ?? said, `seed ${seed}`).toBe(said)
    seen.set(key, said)
  }
  expect(seen.size).toBeGreaterThan(1000)
})
