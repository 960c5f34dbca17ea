/** Examples are those of the MongoDB manual (Query and Projection Operators, Query for Null or Missing Fields, Query an Array). */
import * as mingo from 'mingo'
import { Decimal128, Long, ObjectId } from 'mongodb'
import { expect, test } from 'vitest'
import type { Document } from './client.ts'
import { conditionsOf } from './conditions.ts'
import { type Mingo, selectionOf } from './selection.ts'

const slice: Mingo = mingo
const selects = (filter: Document, document: Document) =>
  selectionOf(conditionsOf(filter), [filter], slice).mayMatch(document)
const id = new ObjectId()

test.each<[string, Document, Document[], Document[]]>([
  ['one or the other', { $or: [{ a: 1 }, { b: { $lt: 0 } }] }, [{ a: 1 }, { a: 2, b: -1 }], [{ a: 2 }, { b: 0 }, {}]],
  ['neither', { $nor: [{ a: 1 }, { b: 2 }] }, [{}, { a: 2 }], [{ a: 1 }, { a: 2, b: 2 }]],
  ['unequal', { a: { $ne: 1 } }, [{}, { a: null }, { a: 2 }, { a: '1' }, { a: [2] }], [{ a: 1 }, { a: [2, 1] }]],
  ['none of several', { a: { $nin: ['x', null] } }, [{ a: 'y' }], [{}, { a: null }, { a: 'x' }, { a: ['y', 'x'] }]],
  ['null or missing', { a: null }, [{}, { a: null }, { a: [null] }], [{ a: 0 }, { a: '' }, { a: [] }, { a: {} }]],
  ['missing below a scalar', { 'a.b': null }, [{ a: 1 }, { a: {} }], [{ a: { b: 1 } }]],
  ['there', { a: { $exists: true } }, [{ a: null }, { a: 0 }, { a: [] }], [{}]],
  ['not there', { a: { $exists: false } }, [{}, { b: 1 }], [{ a: null }]],
  ['not above', { a: { $not: { $gt: 3 } } }, [{}, { a: 3 }, { a: 'x' }], [{ a: 4 }, { a: [1, 4] }]],
  ['so many', { a: { $size: 2 } }, [{ a: [1, 2] }], [{ a: [1] }, { a: 2 }, {}]],
  [
    'one element with both',
    { a: { $elemMatch: { x: 1, y: 2 } } },
    [{ a: [{ x: 1, y: 2 }] }],
    [{ a: [{ x: 1 }, { y: 2 }] }],
  ],
  ['one element between', { a: { $elemMatch: { $gt: 3, $lt: 5 } } }, [{ a: [1, 4] }], [{ a: [2, 6] }, { a: 4 }]],
  [
    'ids',
    { $or: [{ a: id }] },
    [{ a: new ObjectId(id.toHexString()) }],
    [{ a: new ObjectId() }, { a: id.toHexString() }],
  ],
  ['dates', { $or: [{ a: { $gte: new Date(5) } }] }, [{ a: new Date(5) }], [{ a: new Date(4) }, { a: 9 }]],
  [
    'both kinds',
    { b: 2, $or: [{ a: 1 }] },
    [{ a: 1, b: 2 }],
    [
      { a: 1, b: 3 },
      { a: 2, b: 2 },
    ],
  ],
])('%s', (_, filter, matching, others) => {
  for (const document of matching) expect(selects(filter, document), JSON.stringify(document)).toBe(true)
  for (const document of others) expect(selects(filter, document), JSON.stringify(document)).toBe(false)
})

test.each<[string, Document, Document]>([
  ['a large number', { a: { $ne: 1 } }, { a: Long.fromString('1') }],
  ['another type of number', { $or: [{ a: { $gt: 1 } }] }, { a: Decimal128.fromString('0') }],
  ['a list in a list', { $or: [{ a: 1 }] }, { a: [[1]] }],
  ['what is missing in a list', { 'a.b': null }, { a: [{ b: 1 }] }],
  ['what is unequal in a list', { 'a.b': { $ne: 1 } }, { a: [{ b: 1 }] }],
  ['neither, in a list', { $nor: [{ 'a.b': 1 }] }, { a: [{ b: 1 }] }],
  ['strings beyond the surrogates', { $or: [{ a: 'x' }] }, { a: '\u{1f600}' }],
  ['an undefined', { a: null, b: { $ne: 1 } }, { a: undefined, b: 1 }],
  ['all of several', { a: { $all: [1] } }, { a: 2 }],
  ['an expression', { a: /x/ }, { a: 'y' }],
  ['an expression among choices', { $or: [{ a: /x/ }, { b: 1 }] }, { b: 2 }],
  ['an expression of aggregation', { $expr: { $eq: ['$a', 1] } }, { a: 2 }],
  ['a place in a list', { $or: [{ 'a.0': 1 }] }, { a: [2] }],
  ['an equal document', { $or: [{ a: { b: 1 } }] }, { a: { b: 2 } }],
])('what cannot be said counts as a match: %s', (_, filter, document) => {
  expect(selects(filter, document)).toBe(true)
})

test('without mingo a choice selects everything, and what is left of a filter still counts', () => {
  const filter = { b: 2, $or: [{ a: 1 }] }
  const { text, mayMatch } = selectionOf(conditionsOf(filter), [filter], undefined)
  expect(text).toBe('"b"$eq[{"$number":"2"}]')
  expect([mayMatch({ a: 5, b: 2 }), mayMatch({ a: 1, b: 3 })]).toEqual([true, false])
  expect(selectionOf([], [{ $or: [{ a: 1 }] }], undefined).text).toBe('')
})

test('where mingo throws, it cannot say', () => {
  class Query {
    test(): boolean {
      throw new Error('no')
    }
  }
  const filter = { $or: [{ a: 1 }] }
  expect(selectionOf([], [filter], { Query }).mayMatch({ a: 2 })).toBe(true)
})

test('the text tells selections apart', () => {
  const textOf = (filter: Document) => selectionOf(conditionsOf(filter), [filter], slice).text
  const filters: Document[] = [
    { $or: [{ a: 1 }] },
    { $or: [{ a: '1' }] },
    { $nor: [{ a: 1 }] },
    { a: { $ne: 1 } },
    { a: 1 },
  ]
  expect(new Set(filters.map(textOf)).size).toBe(filters.length)
})
