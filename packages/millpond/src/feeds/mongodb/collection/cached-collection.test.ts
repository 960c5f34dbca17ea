import { type Collection, type Db, MongoClient } from 'mongodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CommandError, type MongoTestServer, startMongo } from '../../../../../../tools/servers/mongo.ts'
import { until } from '../../../../../../tools/servers/until.ts'
import { type Cache, createCache, OptionError } from '../../../index.ts'
import { manualClock } from '../../../testing/manual-clock.ts'
import { type CachedCollection, cachedCollection, type MongoFeed, mongoFeed, positionOf } from '../index.ts'

interface Trade {
  _id: number
  code: string
  price: number
  quotes?: { code: string; at: number }[]
}

let server: MongoTestServer
let client: MongoClient
/** Somebody else: nothing of what it does is seen but by the feed. */
let other: MongoClient
let db: Db
let feed: MongoFeed
let cache: Cache
let trades: Collection<Trade> & CachedCollection

beforeAll(async () => {
  server = await startMongo({ secondaries: 1 })
  client = new MongoClient(server.url)
  other = new MongoClient(server.url)
  db = client.db()
})
beforeEach(async () => {
  await db.createCollection('trades', { changeStreamPreAndPostImages: { enabled: true } })
  await db.createCollection('users')
  await theirs().insertMany([
    { _id: 1, code: 'A', price: 10 },
    { _id: 2, code: 'A', price: 20 },
    { _id: 3, code: 'B', price: 30 },
  ])
  feed = mongoFeed({ client, database: 'shop', maxStaleness: 5000, heartbeat: 20 })
  cache = createCache({ name: 'mongo', feed })
  trades = cachedCollection(db.collection<Trade>('trades'), { cache, feed })
  await feed.ready()
  await caughtUp()
})
afterEach(async () => {
  await cache.close()
  await feed.close()
  for (const { name } of await db.listCollections().toArray()) await db.dropCollection(name)
})
afterAll(async () => {
  await client.close()
  await other.close()
  await server.close()
})

const theirs = () => other.db().collection<Trade>('trades')
const caughtUp = async (): Promise<void> => {
  expect(await feed.reached(await feed.now(), 10_000)).toBe(true)
}
/** How many reads reach the server while `run` runs. */
async function readsOf(run: () => Promise<unknown>): Promise<number> {
  const count = () => (server.commands.get('find') ?? 0) + (server.commands.get('aggregate') ?? 0)
  const before = count()
  await run()
  return count() - before
}

describe('reads', () => {
  test('find, findOne, countDocuments and aggregate are answered once by the server, then by the cache, and alike', async () => {
    const all: (() => Promise<unknown>)[] = [
      () => trades.find({ code: 'A' }).sort({ price: -1 }).limit(1).toArray(),
      () => trades.find({ code: 'A' }, { projection: { price: 1 } }).toArray(),
      () => trades.findOne({ code: 'A' }),
      () => trades.findOne({ _id: 9 }),
      () => trades.countDocuments({ price: { $gte: 20 } }),
      () =>
        trades.aggregate([{ $match: { code: 'A' } }, { $group: { _id: '$code', sum: { $sum: '$price' } } }]).toArray(),
    ]
    for (const read of all) {
      const first = await read()
      expect(await readsOf(async () => expect(await read()).toEqual(first))).toBe(0)
    }
    expect(await trades.find({ code: 'A' }).sort({ price: -1 }).limit(1).toArray()).toEqual([
      { _id: 2, code: 'A', price: 20 },
    ])
    expect(await trades.findOne({ _id: 9 })).toBeNull()
  })

  test('a list of one document and the one document are two answers', async () => {
    expect(await trades.find({ _id: 1 }, { limit: 1 }).toArray()).toHaveLength(1)
    expect(await trades.findOne({ _id: 1 })).toMatchObject({ _id: 1 })
  })

  test('who changes what he was given changes nobody else', async () => {
    const mine = await trades.find({ code: 'A' }).toArray()
    mine[0]!.price = -1
    mine.pop()
    expect(await trades.find({ code: 'A' }).toArray()).toEqual([
      { _id: 1, code: 'A', price: 10 },
      { _id: 2, code: 'A', price: 20 },
    ])
  })

  test('a session, a cursor that is walked and an unknown option go to the server', async () => {
    const walked = async () => {
      for await (const trade of trades.find({ code: 'A' })) expect(trade.code).toBe('A')
    }
    const mapped = () =>
      trades
        .find({ code: 'A' })
        .map(({ price }) => price)
        .toArray()
    const ofSession = () => client.withSession((session) => trades.find({ code: 'A' }, { session }).toArray())
    const collated = () => trades.find({ code: 'A' }, { collation: { locale: 'en' } }).toArray()
    for (const read of [walked, mapped, ofSession, collated]) {
      await read()
      expect(await readsOf(read)).toBe(1)
    }
    expect(await mapped()).toEqual([10, 20])
  })
})

describe('writes by anybody', () => {
  test('void what they can matter to and leave the rest', async () => {
    const reads: Record<string, () => Promise<unknown>> = {
      a: () => trades.find({ code: 'A' }).toArray(),
      b: () => trades.find({ code: 'B' }).toArray(),
      cheap: () => trades.countDocuments({ price: { $lt: 15 } }),
      third: () => trades.findOne({ _id: 3 }),
    }
    const stay = async (write: () => Promise<unknown>) => {
      for (const read of Object.values(reads)) await read()
      await write()
      await caughtUp()
      const kept: string[] = []
      for (const [name, read] of Object.entries(reads)) if ((await readsOf(read)) === 0) kept.push(name)
      return kept
    }
    expect(await stay(() => theirs().insertOne({ _id: 4, code: 'C', price: 99 }))).toEqual(['a', 'b', 'cheap', 'third'])
    expect(await stay(() => theirs().updateOne({ _id: 2 }, { $set: { code: 'B' } }))).toEqual(['cheap', 'third'])
    expect(await stay(() => theirs().updateOne({ _id: 3 }, { $set: { price: 5 } }))).toEqual(['a'])
    expect(await stay(() => theirs().deleteOne({ _id: 1 }))).toEqual(['b', 'third'])
    expect(await stay(() => other.db().collection('users').insertOne({}))).toEqual(['a', 'b', 'cheap', 'third'])
    expect(await trades.find({ code: 'B' }).toArray()).toHaveLength(2)
  })

  test('of this process are seen by its next read, transactions included', async () => {
    await trades.find({ code: 'A' }).toArray()
    await trades.updateOne({ _id: 1 }, { $set: { price: 11 } })
    expect(await trades.findOne({ _id: 1 })).toMatchObject({ price: 11 })
    expect((await trades.find({ code: 'A' }).toArray())[0]).toMatchObject({ price: 11 })
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await trades.updateOne({ _id: 1 }, { $set: { price: 12 } }, { session })
        expect(await trades.findOne({ _id: 1 })).toMatchObject({ price: 11 })
        expect(await trades.findOne({ _id: 1 }, { session })).toMatchObject({ price: 12 })
      }),
    )
    expect(await trades.findOne({ _id: 1 })).toMatchObject({ price: 12 })
  })

  test('of this process are seen on a secondary that lags, also while the feed is away', async () => {
    const [secondary] = server.secondaries
    const lagging = db.collection<Trade>('trades', { readPreference: 'secondary' })
    const mine = cachedCollection(lagging, { cache, feed, name: 'mine' })
    expect(await mine.findOne({ _id: 1 })).toMatchObject({ price: 10 })
    secondary!.hold()
    try {
      await trades.updateOne({ _id: 1 }, { $set: { price: 13 } })
      await caughtUp()
      expect(await trades.findOne({ _id: 1 })).toMatchObject({ price: 13 })
      await feed.close()
      expect(await mine.findOne({ _id: 1 })).toMatchObject({ price: 13 })
    } finally {
      secondary!.release()
    }
  })

  test('of this process are seen on a secondary that lags, also while nobody says what the collection is', async () => {
    const [secondary] = server.secondaries
    const lagging = db.collection<Trade>('trades', { readPreference: 'secondary' })
    secondary!.hold()
    try {
      await trades.updateOne({ _id: 1 }, { $set: { price: 16 } })
      server.fail({ command: 'listCollections', error: new CommandError(13, 'Unauthorized', 'not allowed') })
      const mine = cachedCollection(lagging, { cache, feed, name: 'unknown' })
      expect(await mine.findOne({ _id: 1 })).toMatchObject({ price: 16 })
      expect(mine.status().passed).toEqual({ 'the server could not be asked what the collection is': 1 })
    } finally {
      secondary!.release()
    }
  })

  test('of another process are seen by who carries their position', async () => {
    await trades.findOne({ _id: 1 })
    const atLeast = await other.withSession(async (session) => {
      await theirs().updateOne({ _id: 1 }, { $set: { price: 7 } }, { session })
      return (await positionOf(other, session))!
    })
    expect(await trades.findOne({ _id: 1 }, { read: { atLeast } } as object)).toMatchObject({ price: 7 })
    expect(await trades.findOne({ _id: 1 }, { read: 'strict' } as object)).toMatchObject({ price: 7 })
  })

  test('of this process are seen by who carries the position of an earlier write, too', async () => {
    const atLeast = feed.position()!
    expect(await trades.findOne({ _id: 1 })).toMatchObject({ price: 10 })
    server.pauseStreams(true)
    try {
      await trades.updateOne({ _id: 1 }, { $set: { price: 14 } })
      expect(await trades.findOne({ _id: 1 }, { read: { atLeast } } as object)).toMatchObject({ price: 14 })
    } finally {
      server.pauseStreams(false)
    }
  })

  test('are seen by who carries their position, while the feed begins anew and a secondary lags', async () => {
    const [secondary] = server.secondaries
    const lagging = db.collection<Trade>('trades', { readPreference: 'secondary' })
    const mine = cachedCollection(lagging, { cache, feed, name: 'anew' })
    const { epoch } = feed.status()
    server.pauseStreams(true)
    server.elect()
    const hasBegun = async () => feed.status().epoch > epoch && feed.guard([]) !== undefined
    await until('the next epoch has begun', hasBegun, 8000)
    expect(feed.position(), 'the stream has not told its first moment').toBeUndefined()
    secondary!.hold()
    try {
      const atLeast = await other.withSession(async (session) => {
        await theirs().updateOne({ _id: 1 }, { $set: { price: 15 } }, { session })
        return (await positionOf(other, session))!
      })
      expect(await mine.findOne({ _id: 1 }, { read: { atLeast } } as object)).toMatchObject({ price: 15 })
    } finally {
      secondary!.release()
      server.pauseStreams(false)
    }
  })

  test('a member that lags is waited for: what is kept has all that was told', async () => {
    const [secondary] = server.secondaries
    const lagging = cachedCollection(db.collection<Trade>('trades', { readPreference: 'secondary' }), {
      cache,
      feed,
      name: 'secondary',
    })
    expect(await lagging.findOne({ _id: 1 })).toMatchObject({ price: 10 })
    secondary!.hold()
    await theirs().updateOne({ _id: 1 }, { $set: { price: 8 } })
    await caughtUp()
    expect(await theirs().findOne({ _id: 1 }, { readPreference: 'secondary' })).toMatchObject({ price: 10 })
    const read = lagging.findOne({ _id: 1 })
    setTimeout(() => secondary!.release(), 50)
    expect(await read).toMatchObject({ price: 8 })
    expect(await lagging.findOne({ _id: 1 })).toMatchObject({ price: 8 })
  })

  test('a load proves nothing: the member that answered may lack what has not been told yet', async () => {
    const clock = manualClock()
    const behind = new Proxy(feed, {
      get(target, name) {
        if (name === 'freshAsOfMs') return () => 0
        const member = Reflect.get(target, name, target) as unknown
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    await clock.advance(4000)
    const theCache = createCache({ name: 'behind', feed: behind, clock })
    const late = cachedCollection(db.collection<Trade>('trades'), { cache: theCache, feed: behind, name: 'behind' })
    expect(await readsOf(async () => [await late.findOne({ _id: 1 }), await late.findOne({ _id: 1 })])).toBe(1)
    await clock.advance(1001)
    expect(await readsOf(() => late.findOne({ _id: 1 })), 'the feed proves what was 5 s ago').toBe(1)
  })

  test('a collection that is dropped, renamed over or made a view is seen to be another', async () => {
    expect(await trades.countDocuments({})).toBe(3)
    await theirs().drop()
    await caughtUp()
    expect(await trades.countDocuments({})).toBe(0)
    await other.db().createCollection('trades', { viewOn: 'users', pipeline: [] })
    await caughtUp()
    expect((await trades.explain({ filter: {} })).reasons).toEqual([
      'trades is a view, and not all that changes it is told',
    ])
  })
})

test('what makes an answer old is said in words, and so is how precisely it is told', async () => {
  const dependencyOf = async (collection: string, filter: object) =>
    (await cachedCollection(db.collection(collection), { cache, feed }).explain({ filter })).dependencies
  expect(await dependencyOf('trades', { _id: { $in: [1, 2] } })).toEqual([
    { collection: 'trades', documents: 'trades:1, trades:2', changes: 'any' },
  ])
  expect(await dependencyOf('trades', { $or: [{ code: 'A' }, { price: { $exists: false } }] })).toEqual([
    {
      collection: 'trades',
      documents: 'those with {"$or":[{"code":"A"},{"price":{"$exists":false}}]}',
      changes: 'of which they are such before or after',
    },
  ])
  expect(await dependencyOf('trades', { code: /A/ })).toEqual([
    { collection: 'trades', documents: 'all', changes: 'any' },
  ])
  const [coarse] = await dependencyOf('users', { code: 'A' })
  expect(coarse!.changes).toMatch(/^these, and every update: .*changeStreamPreAndPostImages/)
})

test('what is no mingo is refused', () => {
  const wrong = () => cachedCollection(db.collection('trades'), { cache, feed, mingo: {} as never })
  expect(wrong).toThrow(OptionError)
})

test('a choice of filters is tested by mingo, where it is there', async () => {
  const other = cachedCollection(db.collection<Trade>('trades'), { cache, feed, name: 'choices' })
  const read = () => other.find({ $or: [{ code: 'B' }, { price: { $gte: 100 } }] }).toArray()
  expect(await read()).toHaveLength(1)
  await theirs().updateOne({ _id: 1 }, { $set: { price: 11 } })
  await caughtUp()
  expect(await readsOf(read)).toBe(0)
  await theirs().updateOne({ _id: 1 }, { $set: { price: 111 } })
  await caughtUp()
  expect(await read()).toHaveLength(2)
})

test('the status says what was kept and what was not, and why', async () => {
  for (let again = 0; again < 3; again++) await trades.findOne({ _id: 1 })
  await trades
    .find({ code: /A/, $where: 'true' })
    .toArray()
    .catch(() => {})
  expect(trades.status()).toMatchObject({
    hits: 2,
    loads: 1,
    kept: 1,
    passed: { 'it runs JavaScript on the server ($where)': 1 },
    feed: { state: 'live' },
  })
})

describe('a command that is lost: neither answered nor refused', () => {
  const lose = (command: string, where?: (command: object) => boolean) =>
    server.fail({ command, isLost: true, ...(where && { where }) })
  const hasSession = (command: object) => 'lsid' in command // unlike a monitor's

  test.each<[string, () => void]>([
    ['the question what the collection is', () => lose('listCollections')],
    ["the question whose collection it is, or the feed's own", () => lose('hello', hasSession)],
    ['the next request of the stream', () => lose('getMore')],
    ['the read', () => lose('find')],
    ['the read, and the next one', () => void ['find', 'find'].map((command) => lose(command))],
    ['all of them', () => void ['listCollections', 'getMore', 'find'].map((command) => lose(command))],
  ])('%s: it is put again, and the reader has his answer', async (_, fault) => {
    const patient = cachedCollection(db.collection<Trade>('trades'), { cache, feed, name: 'lost', patience: 600 })
    fault()
    expect(await patient.findOne({ _id: 1 })).toMatchObject({ price: 10 })
    await theirs().updateOne({ _id: 1 }, { $set: { price: 6 } })
    await patient.updateOne({ _id: 2 }, { $set: { price: 5 } })
    expect(await patient.findOne({ _id: 2 })).toMatchObject({ price: 5 })
    await until('the feed has told it', async () => (await patient.findOne({ _id: 1 }))?.price === 6, 8000)
    await until('it is kept again', async () => (await readsOf(() => patient.findOne({ _id: 1 }))) === 0, 8000)
  })
})

test('the aggregate of the article: quotes of one symbol and code, unwound, grouped and pushed', async () => {
  const quotes = cachedCollection(db.collection<{ _id: string; symbol: string; quotes: object[] }>('quotes'), {
    cache,
    feed,
  })
  const theirQuotes = other.db().collection<{ _id: string; symbol: string; quotes: object[] }>('quotes')
  await other.db().createCollection('quotes', { changeStreamPreAndPostImages: { enabled: true } })
  await theirQuotes.insertMany([
    {
      _id: 'amzn',
      symbol: 'AMZN',
      quotes: [
        { code: 'X', price: 1 },
        { code: 'Y', price: 2 },
        { code: 'X', price: 3 },
      ],
    },
    { _id: 'goog', symbol: 'GOOG', quotes: [{ code: 'X', price: 9 }] },
  ])
  await caughtUp()
  const pipeline = [
    { $unwind: '$quotes' },
    { $match: { symbol: 'AMZN', 'quotes.code': 'X' } },
    { $group: { _id: '$symbol', quotes: { $push: '$quotes' } } },
  ]
  const read = () => quotes.aggregate(pipeline).toArray()
  const prices = async () => ((await read())[0]!.quotes as { price: number }[]).map(({ price }) => price)
  expect(await prices()).toEqual([1, 3])
  expect(await readsOf(read)).toBe(0)

  await theirQuotes.updateOne({ _id: 'goog' }, { $set: { quotes: [{ code: 'X', price: 10 }] } })
  await theirQuotes.insertOne({ _id: 'msft', symbol: 'MSFT', quotes: [] })
  await caughtUp()
  expect(await readsOf(read)).toBe(0)

  await theirQuotes.updateOne({ _id: 'amzn' }, { $push: { quotes: { code: 'X', price: 4 } } as never })
  await caughtUp()
  expect(await prices()).toEqual([1, 3, 4])
  expect((await quotes.explain({ pipeline })).dependencies).toEqual([
    {
      collection: 'quotes',
      documents: 'those with "symbol"$eq["AMZN"]&"quotes.code"$eq["X"]',
      changes: 'of which they are such before or after',
    },
  ])
})

test.each<[string, object, string]>([
  ['$out', { pipeline: [{ $out: 'x' }] }, 'the stage $out writes'],
  ['$merge', { pipeline: [{ $merge: { into: 'x' } }] }, 'the stage $merge writes'],
  ['$sample', { pipeline: [{ $sample: { size: 1 } }] }, 'the stage $sample draws lots'],
  [
    '$currentOp',
    { pipeline: [{ $currentOp: {} }] },
    'the stage $currentOp does not depend on documents alone, as far as is known',
  ],
  ['$rand', { pipeline: [{ $addFields: { luck: { $rand: {} } } }] }, 'it draws lots ($rand)'],
  ['$$NOW', { pipeline: [{ $match: { $expr: { $lt: ['$at', '$$NOW'] } } }] }, 'it asks for the time ($$NOW)'],
  ['$function', { pipeline: [{ $set: { a: { $function: {} } } }] }, 'it runs JavaScript on the server ($function)'],
  ['$where', { filter: { $where: 'true' } }, 'it runs JavaScript on the server ($where)'],
  [
    'within a join',
    { pipeline: [{ $lookup: { from: 'users', as: 'u', pipeline: [{ $sample: { size: 1 } }] } }] },
    'the stage $sample draws lots',
  ],
  [
    'another database',
    { pipeline: [{ $lookup: { from: { db: 'x', coll: 'y' }, as: 'u' } }] },
    'it reads another database',
  ],
  [
    'a collation',
    { filter: {}, options: { collation: { locale: 'en' } } },
    'the option collation is left to the server',
  ],
  [
    'an undefined',
    { filter: { code: undefined } },
    'it has a value whose text is not unique, so there is no key for it',
  ],
])('never kept, and said why: %s', async (_, read, reason) => {
  const { cacheable, reasons } = await trades.explain(read)
  expect(cacheable).toBe(false)
  expect(reasons).toContain(reason)
})

test.each([
  ['$lookup', [{ $lookup: { from: 'users', localField: 'code', foreignField: 'code', as: 'users' } }]],
  ['$unionWith', [{ $unionWith: 'users' }]],
  [
    '$graphLookup',
    [{ $graphLookup: { from: 'users', startWith: '$code', connectFromField: 'a', connectToField: 'b', as: 'c' } }],
  ],
  ['$facet', [{ $facet: { one: [{ $lookup: { from: 'users', localField: 'a', foreignField: 'b', as: 'c' } }] } }]],
])('what a %s reads besides is a dependency', async (_, pipeline) => {
  const { cacheable, dependencies } = await trades.explain({ pipeline })
  const whole = (collection: string) => ({ collection, documents: 'all', changes: 'any' })
  expect({ cacheable, dependencies }).toEqual({ cacheable: true, dependencies: [whole('trades'), whole('users')] })
})

test('a join is made anew when the other collection changes', async () => {
  const read = () =>
    trades
      .aggregate([
        { $match: { _id: 1 } },
        { $lookup: { from: 'users', localField: 'code', foreignField: 'code', as: 'users' } },
      ])
      .toArray()
  expect((await read())[0]!.users).toEqual([])
  await other.db().collection('users').insertOne({ code: 'A' })
  await caughtUp()
  expect((await read())[0]!.users).toHaveLength(1)
})
