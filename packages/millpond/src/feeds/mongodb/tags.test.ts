import { Binary, Decimal128, Long, MongoClient, ObjectId, Timestamp } from 'mongodb'
import { afterAll, describe, expect, test } from 'vitest'
import { FeedError, OptionError } from '../../core/errors.ts'
import { formatPosition, parsePosition, timeOfToken } from './cluster-time.ts'
import { documentTag, mongoFeed } from './index.ts'
import { resolveOptions } from './options.ts'
import { serverOf } from './server.ts'

const client = new MongoClient('mongodb://127.0.0.1:1/shop')
afterAll(() => client.close())

describe('tags', () => {
  test.each<[unknown, string]>([
    [17, 'orders:17'],
    [Long.fromNumber(17), 'orders:17'],
    [17n, 'orders:17'],
    [Decimal128.fromString('17.0'), 'orders:17'],
    [-0, 'orders:0'],
    ['ada', 'orders:ada'],
    ['17', 'orders:"17"'],
    ['*', 'orders:"*"'],
    ['', 'orders:""'],
    ['a:b', 'orders:a:b'],
    ['true', 'orders:"true"'],
    [true, 'orders:true'],
    [new ObjectId('65f000000000000000000001'), 'orders:65f000000000000000000001'],
    ['65f000000000000000000001', 'orders:"65f000000000000000000001"'],
    [{ tenant: 7, name: 'x' }, 'orders:{"tenant":7,"name":"x"}'],
    [{ tenant: Long.fromNumber(7), name: 'x' }, 'orders:{"tenant":7,"name":"x"}'],
    [new Date(0), 'orders:{"$date":"0"}'],
    [new Binary(Buffer.from('a'), 4), 'orders:{"$binary":"4:YQ=="}'],
  ])('an _id of %o is %s', (id, tag) => {
    expect(documentTag('orders', id)).toBe(tag)
  })

  test('fields of a compound id keep their order, and ids of different types do not meet', () => {
    expect(documentTag('a', { x: 1, y: 2 })).not.toBe(documentTag('a', { y: 2, x: 1 }))
    expect(documentTag('a', { x: '1' })).not.toBe(documentTag('a', { x: 1 }))
  })

  test('a collection of another database has its name in front, and what separates is escaped', () => {
    expect(documentTag({ database: 'crm', collection: 'people' }, 1)).toBe('crm.people:1')
    expect(documentTag('log.2026', 1)).toBe('log%2E2026:1')
  })
})

describe('what is covered', () => {
  test('of named collections: these, in all forms of their tags', () => {
    const { scope } = resolveOptions({ client, collections: ['orders', { database: 'crm', collection: 'a.b' }] })
    expect(['orders', 'orders:17', 'orders?x', 'crm.a%2Eb:1'].map((tag) => scope.covers(tag))).toEqual([
      'orders:*',
      'orders:*',
      'orders:*',
      'crm.a%2Eb:*',
    ])
    expect(['others', 'orders2:1', 'crm.a'].map((tag) => scope.covers(tag))).toEqual([undefined, undefined, undefined])
  })

  test('of whole databases: whatever is in them', () => {
    const { scope } = resolveOptions({ client, databases: ['shop', 'crm'] })
    expect(['orders:1', 'crm.people', 'other.people'].map((tag) => scope.covers(tag))).toEqual([
      'orders:*',
      'crm.people:*',
      undefined,
    ])
  })
})

describe('positions', () => {
  test('are text that fits in a cookie, and come back from it', () => {
    const position = { cluster: 'rs 0/ä', time: (1_767_225_600n << 32n) | 3n }
    expect(formatPosition(position)).toBe('rs%200%2F%C3%A4/1767225600.3')
    expect(parsePosition(formatPosition(position))).toEqual(position)
  })

  test.each(['', 'rs0', 'rs0/1', 'rs0/1.', 'rs0/99999999999.1', 'rs0/9999999999.1', '%/1.1', 'a/b/1.1'])(
    'from outside are not trusted to be one: %s',
    (text) => expect(parsePosition(text)).toBeUndefined(),
  )

  test('the time of a token is read where it is', () => {
    expect(timeOfToken({ _data: `82${'0000000100000002'}2B04` })).toBe((1n << 32n) | 2n)
    expect([null, {}, { _data: 7 }, { _data: '83' }].map(timeOfToken)).toEqual(Array(4).fill(undefined))
  })
})

test('a single server is refused in words; a member that is no primary proves nothing', () => {
  const time = new Timestamp({ t: 1, i: 1 })
  expect(() => serverOf({ isWritablePrimary: true })).toThrow(FeedError)
  expect(() => serverOf({ setName: 'rs0', operationTime: time, isWritablePrimary: false })).toThrow('no primary')
  expect(
    serverOf({ msg: 'isdbgrid', operationTime: time, isWritablePrimary: true, maxWireVersion: 25 }).server,
  ).toEqual({ cluster: 'sharded', isSharded: true, electionId: undefined, maxWireVersion: 25 })
})

test.each<[string, object]>([
  ['neither client nor url', {}],
  ['both', { client, url: 'mongodb://a' }],
  ['a client that is none', { client: {} }],
  ['a url that is none', { url: 'postgres://a' }],
  ['a heartbeat that is too slow', { client, heartbeat: 200 }],
  ['a collection without a name', { client, collections: [{ database: 'a' }] }],
])('options that cannot work are refused: %s', (_, options) => {
  expect(() => mongoFeed(options)).toThrow(OptionError)
})
