/**
 * The MongoDB that a suite runs against: a real one where MONGODB_URL names it (a replica set, with a user who may step its primary
 * down), else the test server of mongo.ts. The name says which, and stands in the name of the suite.
 */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import type { MongoClient } from 'mongodb'
import { startMongo } from './mongo.ts'
import { until } from './until.ts'

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
  if (url) {
    const turn = await takeTurn(url)
    return { name: 'the MongoDB at MONGODB_URL', url, elect, close: async () => void turn.close() }
  }
  const server = await startMongo()
  return { name: 'our test server, not a mongod', url: server.url, elect, close: () => server.close() }
}

/** A suite has a server for itself, as it may have its primary elected anew: who listens on the port of the URL has the turn. */
async function takeTurn(url: string): Promise<Server> {
  const port = 23_000 + (createHash('sha256').update(url).digest().readUInt16BE() % 9000) // above servicePort, below the ports of clients
  const turn = createServer()
  const listens = () =>
    new Promise<boolean>((resolve, reject) => {
      turn.once('error', reject).listen(port, '127.0.0.1', () => resolve(true))
    })
  await until(`no other suite has the MongoDB at MONGODB_URL (port ${port} is the turn)`, listens, TURN_MS)
  return turn
}

const TURN_MS = 300_000
