/** What goes wrong with servers and wires, and what the feed does about it. On the test server, which fails when it is told to. */
import { MongoClient } from 'mongodb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CommandError, type MongoTestServer, startMongo } from '../../../../../tools/servers/mongo.ts'
import { until } from '../../../../../tools/servers/until.ts'
import { FeedError } from '../../core/errors.ts'
import { documentTag, type MongoFeed, type MongoFeedOptions, mongoFeed } from './index.ts'

let server: MongoTestServer
let client: MongoClient
let feed: MongoFeed
let told: string[]
let resets: string[]

beforeEach(async () => {
  server = await startMongo()
  client = new MongoClient(server.url)
  await client.db().createCollection('rows')
  told = []
  resets = []
})
afterEach(async () => {
  await feed?.close()
  await client.close()
  await server.close()
})

const eventually = (isSo: () => boolean | Promise<boolean>) => until('the feed notices', async () => isSo(), 8000)

const rows = () => client.db().collection<{ _id: number; n?: number }>('rows')

async function listen(options: Partial<MongoFeedOptions> = {}): Promise<void> {
  feed = mongoFeed({ client, collections: ['rows'], maxStaleness: 2000, heartbeat: 20, ...options })
  feed.subscribe({
    invalidate: (tags) => void told.push(...tags),
    settle: () => {},
    reset: (reason) => void resets.push(reason),
  })
  await feed.ready()
  told.length = 0
  resets.length = 0
}

/** Writes a row, again where the connection was cut under it. */
async function write(row: number): Promise<void> {
  const once = () => rows().updateOne({ _id: row }, { $inc: { n: 1 } }, { upsert: true })
  await once().catch(once).catch(once)
}

const caughtUp = async (): Promise<void> => {
  await eventually(async () => {
    const now = await feed.now().catch(() => undefined)
    return now !== undefined && (await feed.reached(now, 1000))
  })
}

test.each<[string, () => void]>([
  ['cut connections', () => server.killConnections()],
  ['lost cursors', () => server.killCursors()],
  [
    'a primary that is none for a moment',
    () => server.fail({ command: 'getMore', error: new CommandError(10_107, 'NotWritablePrimary', 'not primary') }),
  ],
  [
    'an error that no driver knows',
    () => server.fail({ command: 'getMore', error: new CommandError(8, 'UnknownError', 'no') }),
  ],
])('%s: the stream goes on where it was, nothing is missing and nothing is void', async (_, fault) => {
  await listen()
  for (let row = 0; row < 30; row++) {
    if (row % 10 === 5) fault()
    await write(row).catch(() => write(row)) // its own connection may have been cut too
  }
  await caughtUp()
  const missing = Array.from({ length: 30 }, (__, row) => documentTag('rows', row)).filter((tag) => !told.includes(tag))
  expect({ missing, resets }).toEqual({ missing: [], resets: [] })
})

test('a log that has forgotten where the stream was: all is void, and it begins from now', async () => {
  await listen()
  await write(1)
  await caughtUp()
  server.rollOver()
  await eventually(() => resets.length > 0)
  await eventually(() => feed.status().state === 'live')
  expect(resets[0]).toContain('the resume point may no longer be in the oplog')
  await write(2)
  await caughtUp()
  expect(told).toContain('rows:2')
})

test('another primary: all is void, as what the old one has shown may be undone', async () => {
  await listen()
  const { electionId } = feed.status()
  server.elect()
  await eventually(() => resets.length > 1)
  await eventually(() => feed.status().state === 'live')
  expect(resets[0]).toBe('another primary was elected')
  expect(feed.status().electionId).not.toBe(electionId)
})

test.each(['one collection', 'a whole database'])(
  'drop and rename void the collection, and the feed goes on: %s',
  async (scope) => {
    await listen(scope === 'one collection' ? {} : { collections: [], databases: ['shop'] })
    await write(1)
    await rows().drop()
    await write(2)
    await caughtUp()
    expect(told).toEqual(['rows', 'rows:1', 'rows', 'rows:*', 'rows', 'rows:2'])
    await rows().rename('old_rows')
    await caughtUp()
    expect(told).toContain('rows:*')
    await write(3)
    await caughtUp()
    expect(told).toContain('rows:3')
    expect(resets).toEqual([])
  },
)

test('a whole database that is dropped: all is void', async () => {
  await listen({ collections: ['rows', 'others'] })
  await client.db().dropDatabase()
  await eventually(() => resets.length > 0)
  await eventually(() => feed.status().state === 'live')
  await write(1)
  await caughtUp()
  expect(told).toContain('rows:1')
})

test('a server that takes requests and answers none: proof ends at once, and the feed is back when it answers', async () => {
  await listen({ maxStaleness: 200, stallTimeout: 300 })
  server.primary.silence(true)
  await eventually(() => feed.status().state !== 'live')
  expect(feed.status().bypassReason).toBeDefined()
  await eventually(() => resets.length > 0)
  expect(feed.freshAsOfMs()).toBe(Number.NEGATIVE_INFINITY)
  server.primary.silence(false)
  server.killConnections()
  await eventually(() => feed.status().state === 'live')
  await write(1)
  await caughtUp()
  expect(told).toContain('rows:1')
})

test('the changes of one transaction are told, each by its collection in its database', async () => {
  await listen({ collections: ['rows', { database: 'crm', collection: 'people' }] })
  await client.withSession((session) =>
    session.withTransaction(async () => {
      await rows().insertOne({ _id: 1 }, { session })
      await client.db('crm').collection<{ _id: string }>('people').insertOne({ _id: 'ada' }, { session })
      await client.db('crm').collection('orders').insertOne({}, { session })
    }),
  )
  await caughtUp()
  expect(told).toEqual(['rows', 'rows:1', 'crm.people', 'crm.people:ada'])
  expect(feed.covers('crm.people:ada')).toBe('crm.people:*')
  expect(feed.covers('crm.orders')).toBeUndefined()
})

test('a right that is missing is refused in words, and taken up once it is given', async () => {
  server.fail({ command: 'aggregate', error: new CommandError(13, 'Unauthorized', 'not authorized on shop') })
  feed = mongoFeed({ client, collections: ['rows'] })
  const refused: unknown = await feed.ready().catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(FeedError)
  expect(String(refused)).toContain('readAnyDatabase')
  await feed.ready()
  expect(feed.status()).toMatchObject({ state: 'live', epoch: 2 })
})

test('a feed with a URL has a client of its own, which ends with it', async () => {
  feed = mongoFeed({ url: server.url, collections: ['rows'] })
  await feed.ready()
  expect(feed.status().state).toBe('live')
  expect(feed.includes(feed.position()!)).toBe(true)
  expect(feed.includes('another/1.1')).toBe(false)
  await feed.close()
  expect(feed.status().state).toBe('closed')
})
