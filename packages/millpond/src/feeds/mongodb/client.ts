/**
 * The slice of the package `mongodb` that is called. It is not a dependency: a client is passed in, or the package is loaded
 * when the feed starts. client.types.test.ts proves the slice against the real types.
 */
import { FeedError, OptionError } from '../../core/errors.ts'
import { loadPackage } from '../../core/late-package.ts'

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
  /** Of its connections. */
  on(event: 'connectionPoolCleared', listener: () => void): unknown
  on(event: 'connectionClosed', listener: (event: { readonly reason: string }) => void): unknown
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
export async function clientFor(
  url: string,
  load: (name: string) => Promise<unknown> = loadPackage,
): Promise<MongoClient> {
  const loaded = (await load('mongodb').catch(explain)) as Partial<MongoModule> & { default?: Partial<MongoModule> }
  const Client = loaded.MongoClient ?? loaded.default?.MongoClient
  if (typeof Client === 'function') return new Client(url)
  throw new FeedError('the package `mongodb` has no MongoClient: mongoFeed needs version 7')
}

function explain(cause: unknown): never {
  throw new FeedError(
    'mongoFeed({ url }) needs the package `mongodb`: run `npm install mongodb`, or pass a client: mongoFeed({ client })',
    { cause },
  )
}
