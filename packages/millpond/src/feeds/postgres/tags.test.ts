import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CatalogTable } from './catalog.ts'
import { ChangedTags } from './changed-tags.ts'
import { Coverage } from './coverage.ts'
import { parseTable, rowTag, tableTag } from './tags.ts'
import { Watches } from './watches.ts'

test('usual names and keys stand as they are', () => {
  expect(rowTag('trades', 17)).toBe('trades:17')
  expect(rowTag('users', 'a@b.c, 100%')).toBe('users:a@b.c, 100%')
  expect(rowTag('shop.lines', 5n, true)).toBe('shop.lines:5,t')
  expect(tableTag(parseTable('public.trades'))).toBe('trades')
  expect(() => rowTag('trades')).toThrow(/primary key/)
  expect(() => parseTable('a.b.c')).toThrow(/schema.table/)
  expect(() => parseTable('')).toThrow(/schema.table/)
})

test('no two rows have one tag', () => {
  const name = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', '.', ':', '%', ',', '2') })
  const part = fc.string({ maxLength: 3, unit: fc.constantFrom('a', ',', '%', '2', 'C', ':') })
  const row = fc.tuple(name, name, fc.array(part, { minLength: 2, maxLength: 3 }))
  fc.assert(
    fc.property(row, row, ([schema, table, key], [schema2, table2, key2]) => {
      const same = JSON.stringify([schema, table, key]) === JSON.stringify([schema2, table2, key2])
      expect(rowTag({ schema, table }, ...key) === rowTag({ schema: schema2, table: table2 }, ...key2)).toBe(same)
    }),
    { numRuns: 3000 },
  )
})

test('changes add up to the table, its rows, or all of them', () => {
  const changed = new ChangedTags(3, new Watches())
  expect(changed.empty).toBe(true)
  changed.row('t', '1')
  changed.row('t', '1')
  changed.row('u', undefined)
  changed.row('u', '1')
  expect(changed.list()).toEqual(['t', 't:1', 'u', 'u:*'])
  const more = new ChangedTags(3, new Watches())
  for (const key of ['2', '3']) more.row('t', key)
  changed.add(more)
  expect(changed.isBulk('t')).toBe(false)
  changed.row('t', '4')
  expect(changed.isBulk('t')).toBe(true)
  expect(changed.list()).toEqual(['t', 't:*', 'u', 'u:*'])
})

test('the feed vouches for tags of its tables; before it knows them, for all', () => {
  const unknown = new Coverage([], true)
  expect(unknown.covers('anything')).toBe('anything:*')
  const table = (name: string, key: string[]): CatalogTable => ({
    schema: 'public',
    table: name,
    oid: 1,
    file: 1,
    columns: 1,
    kind: 'r',
    persistence: 'p',
    identity: 'd',
    key,
    parents: [],
    published: true,
    triggered: false,
  })
  unknown.learn([table('one', ['id']), table('two', ['a', 'b'])])
  expect(unknown.covers('anything')).toBeUndefined()
  expect(['one', 'one:1', 'one:a,b', 'one:*', 'two', 'two:1,2', 'two:*'].map((tag) => unknown.covers(tag))).toEqual([
    'one:*',
    'one:*',
    'one:*',
    'one:*',
    'two:*',
    'two:*',
    'two:*',
  ])
  // The tag of no row: nothing would ever void it.
  expect(unknown.covers('two:1')).toBeUndefined()
  const named = new Coverage([{ schema: 'shop', table: 'items' }], true)
  expect([named.covers('shop.items:1'), named.covers('items:1')]).toEqual(['shop.items:*', undefined])
})
