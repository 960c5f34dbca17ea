import { type Db, MongoClient, type ObjectId } from 'mongodb'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { CommandError, type MongoTestServer, startMongo } from './mongo.ts'

let server: MongoTestServer
let client: MongoClient
let db: Db
beforeAll(async () => {
  server = await startMongo({ secondaries: 1 })
  client = new MongoClient(server.url)
  db = client.db()
})
beforeEach(async () => {
  await db.dropCollection('trades')
})
afterAll(async () => {
  await client?.close()
  await server?.close()
})

test('documents are written, found and counted as the driver asks for it', async () => {
  const trades = db.collection('trades')
  const { insertedId } = await trades.insertOne({ code: 'AMZN', price: 1 })
  await trades.insertMany(Array.from({ length: 300 }, (_, at) => ({ code: 'X', price: at })))
  await trades.updateOne({ _id: insertedId }, { $inc: { price: 2 } })
  expect(await trades.findOne({ _id: insertedId as ObjectId })).toEqual({ _id: insertedId, code: 'AMZN', price: 3 })
  expect(await trades.find({ code: 'X' }).sort({ price: -1 }).toArray()).toHaveLength(300)
  expect(await trades.countDocuments({ price: { $gte: 298 } })).toBe(2)
  await expect(trades.insertOne({ _id: insertedId, code: 'again' })).rejects.toMatchObject({ code: 11_000 })
  expect((await trades.deleteMany({ code: 'X' })).deletedCount).toBe(300)
})

test('a write without an answer is put again by the driver, and done once, or anew where an election has undone it', async () => {
  const trades = db.collection<{ _id: number; price: number }>('trades')
  await trades.insertOne({ _id: 1, price: 1 })
  server.fail({ command: 'update' })
  const cheap = { _id: 1, price: { $lt: 2 } }
  expect((await trades.updateOne(cheap, { $inc: { price: 1 } })).modifiedCount).toBe(1)
  expect(await trades.findOne({ _id: 1 })).toEqual({ _id: 1, price: 2 })
  server.holdMajority(true)
  const undo = async () => {
    server.elect()
    server.holdMajority(false)
  }
  server.fail({ command: 'update', late: undo })
  const writeConcern = { w: 1 }
  expect((await trades.updateOne({ _id: 1 }, { $inc: { price: 1 } }, { writeConcern })).modifiedCount).toBe(1)
  expect(await trades.findOne({ _id: 1 })).toEqual({ _id: 1, price: 3 })
})

test('a transaction is seen by itself only, until it commits', async () => {
  const trades = db.collection<{ _id: number }>('trades')
  await trades.insertOne({ _id: 1 })
  await client.withSession((session) =>
    session.withTransaction(async () => {
      await trades.insertOne({ _id: 2 }, { session })
      expect(await trades.find({}, { session }).toArray()).toHaveLength(2)
      expect(await trades.find().toArray()).toHaveLength(1)
    }),
  )
  expect(await trades.find().toArray()).toHaveLength(2)
})

test('a secondary that lags answers what it has, unless the session asks for more', async () => {
  const trades = db.collection<{ _id: number }>('trades')
  await trades.insertOne({ _id: 1 })
  const [secondary] = server.secondaries
  secondary!.hold()
  await client.withSession(async (session) => {
    await trades.insertOne({ _id: 2 }, { session })
    const read = { readPreference: 'secondary' } as const
    expect(await trades.find({}, read).toArray()).toHaveLength(1)
    const after = trades.find({}, { ...read, session }).toArray()
    secondary!.release()
    expect(await after).toHaveLength(2)
  })
})

test('a change stream tells everything once, through cut connections, lost cursors and changes of primary', async () => {
  const trades = db.collection<{ _id: number }>('trades')
  await trades.insertOne({ _id: -1 })
  let stream = trades.watch([], { maxAwaitTimeMS: 20 })
  await stream.tryNext()
  const told: number[] = []
  const listen = async () => {
    try {
      for (let event = await stream.tryNext(); event; event = await stream.tryNext())
        if (event.operationType === 'insert') told.push(event.documentKey._id)
    } catch {
      stream = trades.watch([], { maxAwaitTimeMS: 20, resumeAfter: stream.resumeToken })
      await listen()
    }
  }
  const notPrimary = new CommandError(10_107, 'NotWritablePrimary', 'not primary', ['ResumableChangeStreamError'])
  const faults = [
    () => server.killConnections(),
    () => server.killCursors(),
    () => server.fail({ command: 'getMore', error: notPrimary }),
    () => server.elect(),
  ]
  for (let at = 0; at < 40; at++) {
    const write = () => trades.updateOne({ _id: at }, { $set: { at } }, { upsert: true })
    await write().catch(write)
    if (at % 10 === 5) faults[(at - 5) / 10]!()
    await listen()
  }
  expect(told).toEqual(Array.from({ length: 40 }, (_, at) => at))
  await stream.close()
})

test('a change stream has images where the collection keeps them, and ends with its collection', async () => {
  const trades = await db.createCollection<{ _id: number; price?: number }>('trades', {
    changeStreamPreAndPostImages: { enabled: true },
  })
  const stream = trades.watch([], { fullDocument: 'whenAvailable', fullDocumentBeforeChange: 'whenAvailable' })
  await stream.tryNext()
  await trades.insertOne({ _id: 1, price: 2 })
  await trades.updateOne({ _id: 1 }, { $set: { price: 3 } })
  await trades.drop()
  const events = [await stream.next(), await stream.next(), await stream.next(), await stream.next()]
  expect(events.map(({ operationType }) => operationType)).toEqual(['insert', 'update', 'drop', 'invalidate'])
  expect(events[1]).toMatchObject({ fullDocument: { price: 3 }, fullDocumentBeforeChange: { price: 2 } })
})

test('a token that the log has forgotten is refused with 286', async () => {
  const trades = db.collection<{ _id: number }>('trades')
  await trades.insertOne({ _id: 1 })
  const stream = trades.watch()
  await stream.tryNext()
  const { resumeToken } = stream
  await stream.close()
  await trades.insertOne({ _id: 2 })
  server.rollOver()
  await expect(trades.watch([], { resumeAfter: resumeToken }).tryNext()).rejects.toMatchObject({ code: 286 })
})
