/**
 * The MongoDB that a suite runs against: a real one where MONGODB_URL names it (a replica set, with a user who may step its primary
 * down), else the test server of mongo.ts. The name says which, and stands in the name of the suite.
 */
import type { MongoClient } from 'mongodb'
import { startMongo } from './mongo.ts'

export interface MongoWorld {
  /** What is under test, in words. */
  readonly name: string
  readonly url: string
  /** Has the primary elected anew; resolves when it has begun. */
  elect(client: MongoClient): Promise<void>
  close(): Promise<void>
}

export async function startMongoWorld(url: string | undefined = process.env.MONGODB_URL): Promise<MongoWorld> {
  const elect = async (client: MongoClient): Promise<void> => {
    const command = { replSetStepDown: 1, secondaryCatchUpPeriodSecs: 0, force: true }
    // The connection may break before the answer.
    await client
      .db('admin')
      .command(command)
      .catch(() => {})
  }
  if (url) return { name: 'the MongoDB at MONGODB_URL', url, elect, close: () => Promise.resolve() }
  const server = await startMongo()
  return { name: 'our test server, not a mongod', url: server.url, elect, close: () => server.close() }
}
