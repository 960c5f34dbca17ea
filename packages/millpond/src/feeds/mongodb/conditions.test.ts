import { Query } from 'mingo'
import { Decimal128, Long, ObjectId } from 'mongodb'
import { expect, test } from 'vitest'
import { type Random, seededRandom } from '../../core/random.ts'
import type { Document } from './client.ts'
import { pushedConditions } from './collection/pushed-match.ts'
import { conditionsOf, conditionsText, mayMatch } from './conditions.ts'

const may = (filter: Document, document: Document) => mayMatch(conditionsOf(filter), document)
const id = new ObjectId()

test.each<[string, Document, Document[], Document[]]>([
  ['a value', { a: 1 }, [{ a: 1 }, { a: [2, 1] }], [{ a: 2 }, { a: '1' }, {}, { a: null }, { a: { b: 1 } }]],
  ['a path through lists', { 'a.b': 1 }, [{ a: { b: 1 } }, { a: [{ b: 2 }, { b: 1 }] }], [{ a: [{ b: 2 }] }, { a: 1 }]],
  ['a range', { a: { $gt: 1, $lte: 3 } }, [{ a: 3 }, { a: 2.5 }], [{ a: 1 }, { a: 4 }, { a: '2' }, { a: new Date(2) }]],
  ['one of several', { a: { $in: ['x', 2] } }, [{ a: 'x' }, { a: 2 }], [{ a: 'y' }]],
  ['an ObjectId', { a: id }, [{ a: new ObjectId(id.toHexString()) }], [{ a: new ObjectId() }, { a: id.toHexString() }]],
  ['a date', { a: { $gte: new Date(5) } }, [{ a: new Date(5) }], [{ a: new Date(4) }]],
  ['both', { $and: [{ a: 1 }, { b: 2 }] }, [{ a: 1, b: 2 }], [{ a: 1, b: 3 }]],
])('%s', (_, filter, matching, others) => {
  for (const document of matching) expect(may(filter, document), JSON.stringify(document)).toBe(true)
  for (const document of others) expect(may(filter, document), JSON.stringify(document)).toBe(false)
})

test.each<[string, Document, Document]>([
  ['another type of number', { a: { $gt: 1 } }, { a: Decimal128.fromString('0') }],
  ['a large number', { a: 1 }, { a: Long.fromString('9007199254740993') }],
  ['a list in a list', { 'a.b': 1 }, { a: [[{ b: 2 }]] }],
  ['a place in a list', { 'a.0': 1 }, { a: [2] }],
  ['strings beyond the surrogates', { a: { $lt: '\u{1f600}' } }, { a: '\uffee' }],
  ['another operator', { a: { $ne: 1 } }, { a: 1 }],
  ['a missing value that is wanted', { a: null }, { a: 1 }],
  ['a choice of filters', { $or: [{ a: 1 }] }, { a: 2 }],
  ['an expression', { a: /x/ }, { a: 'y' }],
])('what cannot be said counts as a match: %s', (_, filter, document) => {
  expect(may(filter, document)).toBe(true)
})

test('conditions behind $unwind hold for the whole document, except those on what $unwind makes', () => {
  const pipeline = [
    { $match: { symbol: 'AMZN' } },
    { $unwind: { path: '$quotes', includeArrayIndex: 'at' } },
    { $match: { 'quotes.code': 'X', at: 0 } },
    { $group: { _id: null } },
    { $match: { _id: 1 } },
  ]
  expect(conditionsText(pushedConditions(pipeline))).toBe('"symbol"$eq["AMZN"]&"quotes.code"$eq["X"]')
})

/** An independent reader of filters finds no match that this test denies. */
test('nothing that mingo takes for a match is missed, in 20,000 filters and documents drawn at random', () => {
  const seed = Number(process.env.MILLPOND_SEED ?? 20_260_101)
  const random = seededRandom(seed)
  let matches = 0
  for (let round = 0; round < 20_000; round++) {
    const [filter, document] = [randomFilter(random), randomDocument(random)]
    if (!new Query(filter).test(document)) continue
    matches++
    expect(may(filter, document), `seed ${seed}: ${JSON.stringify({ filter, document })}`).toBe(true)
  }
  expect(matches).toBeGreaterThan(2000)
})

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!

function randomScalar(random: Random): unknown {
  return pick(random, [0, 1, 2, -1, 1.5, 'a', 'b', '', true, false, null, new Date(1), new Date(2)])
}

function randomDocument(random: Random, depth = 0): Document {
  const value = (): unknown => {
    const kind = random()
    if (kind < 0.2 && depth < 2) return randomDocument(random, depth + 1)
    if (kind < 0.4) return Array.from({ length: Math.floor(random() * 3) }, () => randomScalar(random))
    if (kind < 0.5 && depth < 2) return [randomDocument(random, depth + 1), randomDocument(random, depth + 1)]
    return randomScalar(random)
  }
  return Object.fromEntries(['a', 'b', 'c'].filter(() => random() < 0.7).map((name) => [name, value()]))
}

function randomFilter(random: Random): Document {
  const condition = (): unknown => {
    const kind = random()
    if (kind < 0.4) return randomScalar(random)
    if (kind < 0.6) return { $in: [randomScalar(random), randomScalar(random)] }
    return { [pick(random, ['$gt', '$gte', '$lt', '$lte', '$eq', '$ne'])]: randomScalar(random) }
  }
  const names = ['a', 'b', 'a.b', 'b.c'].filter(() => random() < 0.4)
  return Object.fromEntries(names.map((name) => [name, condition()]))
}
