import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, describe, expect, test } from 'vitest'
import type { KeptAnswer } from './answer.ts'
import { AuditCounts } from './audit-report.ts'
import type { Parse } from './parser.ts'
import { compareAnswers, freedomOf } from './same-answer.ts'

beforeAll(() => loadModule())

const freedom = (sql: string) => freedomOf((parseSync as Parse)(sql))

/** An answer with columns `a` and `b`. */
function answer(rows: readonly (readonly unknown[])[], types = [23, 25]): KeptAnswer {
  const fields = ['a', 'b'].map((name, at) => ({ name, dataTypeID: types[at]! }))
  return { command: 'SELECT', rowCount: rows.length, fields, rows, isDeep: false } as unknown as KeptAnswer
}

const likeness = (sql: string, one: unknown[][], other: unknown[][]) =>
  compareAnswers(answer(one), answer(other), freedom(sql))

const [x1, x2, y1] = [
  [1, 'x'],
  [2, 'x'],
  [1, 'y'],
] as [unknown[], unknown[], unknown[]]

describe('answers are compared as far as the query says what they have to be', () => {
  test.each([
    ['SELECT a, b FROM t', [x1, x2], [x1, x2], 'same'],
    ['SELECT a, b FROM t', [x1, x2], [x2, x1], 'same'],
    ['SELECT a, b FROM t', [x1, x1, x2], [x1, x2, x2], 'other'],
    ['SELECT a, b FROM t', [x1], [x1, x1], 'other'],
    ['SELECT a, b FROM t ORDER BY a', [x1, x2], [x2, x1], 'other'],
    ['SELECT a, b FROM t ORDER BY a', [x1, y1], [y1, x1], 'same'],
    ['SELECT a, b FROM t ORDER BY c', [x1, x2], [x2, x1], 'unsure'],
    ['SELECT a, b FROM t ORDER BY t.a', [x1, x2], [x1, y1], 'other'],
    ['SELECT a, b FROM t LIMIT 1', [x1], [x2], 'unsure'],
    ['SELECT a, b FROM t LIMIT 2', [x1], [x1, x2], 'other'],
    ['SELECT a, b FROM t ORDER BY a LIMIT 1', [x1], [x2], 'other'],
    ['SELECT a, b FROM t ORDER BY a LIMIT 1', [x1], [y1], 'unsure'],
    ['SELECT a, b FROM t ORDER BY a OFFSET 1', [x2], [x1], 'other'],
    ["SELECT a, string_agg(c, ',') AS b FROM t GROUP BY a", [x1], [y1], 'unsure'],
    ['SELECT a, pg_catalog.array_agg(c) AS b FROM t GROUP BY a', [x1], [y1], 'unsure'],
    ['SELECT a, row_number() OVER () AS b FROM t', [x1], [y1], 'unsure'],
    ['SELECT a, b FROM (SELECT * FROM t LIMIT 1) s', [x1], [x1, x2], 'unsure'],
    ['(SELECT a, b FROM t LIMIT 1) UNION ALL SELECT a, b FROM u', [x1], [x2], 'unsure'],
    ['SELECT DISTINCT ON (a) a, b FROM t', [x1], [y1], 'unsure'],
    ['SELECT DISTINCT a, b FROM t', [x1], [y1], 'other'],
    ['SELECT a, b FROM t UNION SELECT a, b FROM u ORDER BY b', [x1, y1], [y1, x1], 'other'],
    ['SELECT a, count(*) AS b FROM t GROUP BY a', [x1], [y1], 'other'],
  ] as const)('%s: %j and %j are %s', (sql, one, other, expected) => {
    expect(likeness(sql, [...one], [...other])).toBe(expected)
  })

  test('null is not zero, nor a text a number; dates, bytes and large numbers are compared', () => {
    const sql = 'SELECT a, b FROM t'
    for (const [one, other] of [
      [null, 0],
      ['1', 1],
      [new Date(0), new Date(1)],
      [Buffer.from('a'), Buffer.from('b')],
      [1n, 2n],
      [Number.NaN, null],
      [{ deep: [1] }, { deep: [2] }],
    ]) {
      expect(likeness(sql, [[one, 'x']], [[other, 'x']])).toBe('other')
      expect(likeness(sql, [[one, 'x']], [[one, 'x']])).toBe('same')
    }
  })

  test('the last digits of a sum of floats do not count', () => {
    const [one, other] = [answer([[0.1 + 0.2, 'x']], [701, 25]), answer([[0.3, 'x']], [701, 25])]
    expect(compareAnswers(one, other, freedom('SELECT sum(f) AS a, b FROM t GROUP BY b'))).toBe('same')
    expect(compareAnswers(one, answer([[0.31, 'x']], [701, 25]), freedom('SELECT a, b FROM t'))).toBe('other')
  })

  test('rows that are objects', () => {
    const one = { ...answer([]), rows: [{ a: 1, b: 'x' }] }
    expect(compareAnswers(one, { ...one, rows: [{ b: 'x', a: 1 }] }, freedom('SELECT a, b FROM t'))).toBe('same')
    expect(compareAnswers(one, { ...one, rows: [{ a: 2, b: 'x' }] }, freedom('SELECT a, b FROM t'))).toBe('other')
  })
})

test('nines are as many as the looks can show', () => {
  const counts = new AuditCounts()
  const after = (fresh: number, stale: number) => {
    Object.assign(counts, { fresh, stale })
    return counts.report()
  }
  expect(after(0, 0)).toMatchObject({ share: 1, nines: 0 })
  expect(after(1000, 0)).toMatchObject({ share: 1, nines: 3 })
  expect(after(999, 1)).toMatchObject({ share: 0.999, nines: 3 })
  expect(after(98, 2)).toMatchObject({ share: 0.98, nines: 1.6 })
  expect(after(0, 5)).toMatchObject({ share: 0, nines: 0 })
})
