/**
 * The slice of the package `mongodb` that is called. It is not a dependency: a client is passed in, or the package is loaded
 * when the feed starts. client.types.test.ts proves the slice against the real types.
 */
import { createRequire } from 'node:module'
import { FeedError, OptionError } from '../../core/errors.ts'

export type Document = Record<string, unknown>

/** A BSON timestamp: seconds and a counter, as an unsigned number of 64 bits. */
export interface Timestamp {
  readonly high: number
  readonly low: number
}

export interface MongoClient {
  db(name?: string): MongoDb
  watch(pipeline: Document[], options: Document): ChangeStream
  startSession(options: { causalConsistency: boolean }): MongoSession
  close(): Promise<void>
}

export interface MongoDb {
  readonly databaseName: string
  command(command: Document): Promise<Document>
  collection(name: string): { watch(pipeline: Document[], options: Document): ChangeStream }
  watch(pipeline: Document[], options: Document): ChangeStream
  listCollections(filter: Document): { toArray(): Promise<{ name: string }[]> }
}

/** A change stream, read by `tryNext`: the next event, or null when there is none yet. */
export interface ChangeStream {
  readonly resumeToken: unknown
  tryNext(): Promise<unknown>
  close(): Promise<void>
}

export interface MongoSession {
  readonly operationTime?: Timestamp | undefined
  advanceOperationTime(time: never): void
  inTransaction(): boolean
  endSession(): Promise<void>
}

/** `mongodb` itself (`import * as mongodb from 'mongodb'`), as far as it makes clients. */
export interface MongoModule {
  readonly MongoClient: new (url: string) => MongoClient
}

/** What was passed if it is a client. */
export function clientIn(passed: unknown): MongoClient {
  const { db, watch, startSession } = (passed ?? {}) as Partial<MongoClient>
  if ([db, watch, startSession].every((method) => typeof method === 'function')) return passed as MongoClient
  throw new OptionError('client', passed, 'give a MongoClient of the package `mongodb`, or a url instead')
}

/** A client of its own for this URL, by the installed package. */
export async function clientFor(url: string, load: () => Promise<unknown> = loadMongodb): Promise<MongoClient> {
  const loaded = (await load()) as Partial<MongoModule> & { default?: Partial<MongoModule> }
  const Client = loaded.MongoClient ?? loaded.default?.MongoClient
  if (typeof Client === 'function') return new Client(url)
  throw new FeedError('the package `mongodb` has no MongoClient: mongoFeed needs version 7')
}

/** From where this library lies, else from where the application runs: strict installs keep the two apart. */
async function loadMongodb(): Promise<unknown> {
  const name = 'mongodb'
  try {
    return await import(name)
  } catch {
    return loadFrom(`${process.cwd()}/`, name)
  }
}

export function loadFrom(folder: string, name: string): unknown {
  try {
    return createRequire(folder)(name)
  } catch (cause) {
    throw new FeedError(
      'mongoFeed({ url }) needs the package `mongodb`: run `npm install mongodb`, or pass a client: mongoFeed({ client })',
      { cause },
    )
  }
}
