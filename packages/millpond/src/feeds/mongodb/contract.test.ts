import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type MongoWorld, startMongoWorld } from '../../../../../tools/servers/mongo-world.ts'
import { systemClock } from '../../core/clock.ts'
import { type FeedSubject, feedContract } from '../../testing/contracts-feed.ts'
import { documentTag, type MongoFeed, mongoFeed, positionOf } from './index.ts'

const world: MongoWorld = await startMongoWorld()

describe(`a feed of MongoDB keeps the contract of Feed (${world.name})`, () => {
  const client = new MongoClient(world.url)
  const rows = client.db().collection<{ _id: number; n: number }>('rows')
  let feed: MongoFeed

  beforeAll(async () => {
    await rows.deleteMany({})
    await rows.insertMany([1, 2, 3, 4, 5, 6, 7, 8].map((_id) => ({ _id, n: 0 })))
    feed = mongoFeed({ client, collections: ['rows'], maxStaleness: 1000, heartbeat: 50 })
  })
  afterAll(async () => {
    await feed?.close()
    await client.close()
    await world.close()
  })

  const subject = (): FeedSubject => ({
    feed,
    table: 'rows',
    rowTag: (row) => documentTag('rows', row),
    commit: (row) =>
      client.withSession(async (session) => {
        await rows.updateOne({ _id: row }, { $inc: { n: 1 } }, { session })
        return (await positionOf(client, session))!
      }),
    async caughtUp() {
      await feed.ready()
      await feed.reached(await feed.now(), 10_000)
    },
    async interrupt() {
      const isReset = new Promise<void>((resolve) => {
        const leave = feed.subscribe({
          invalidate: () => {},
          settle: () => {},
          reset: () => {
            resolve()
            queueMicrotask(leave)
          },
        })
      })
      await world.elect(client)
      await isReset
    },
    nowMs: () => systemClock.monotonic(),
  })

  for (const { name, run } of feedContract) test(name, () => run(subject()))
})
