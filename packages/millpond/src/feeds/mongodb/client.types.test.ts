/** The slice of `mongodb` in client.ts, held against the real types: `tsc` fails here when they part. */
import * as mongodb from 'mongodb'
import { afterAll, expect, test } from 'vitest'
import { FeedError, OptionError } from '../../core/errors.ts'
import {
  type ChangeStream,
  clientFor,
  clientIn,
  type MongoClient,
  type MongoModule,
  type MongoSession,
  type Timestamp,
} from './client.ts'
import { timeOf, timestampLike } from './cluster-time.ts'

const client = new mongodb.MongoClient('mongodb://127.0.0.1:1')
afterAll(() => client.close())

const asClient: MongoClient = client
const asModule: MongoModule = mongodb
const asSession: (session: mongodb.ClientSession) => MongoSession = (session) => session
const asStream: (stream: mongodb.ChangeStream) => ChangeStream = (stream) => stream
const asTimestamp: (timestamp: mongodb.Timestamp) => Timestamp = (timestamp) => timestamp

test('the slice that is declared is there when it runs', () => {
  expect([asModule, asSession, asStream, asTimestamp].every(Boolean)).toBe(true)
  expect(clientIn(asClient)).toBe(client)
})

test('a timestamp is made by the class of another one, and keeps all its bits', () => {
  const like = new mongodb.Timestamp({ t: 1, i: 1 })
  const made = timestampLike(like, (0xffff_fffen << 32n) | 0xffff_ffffn)
  expect(made).toBeInstanceOf(mongodb.Timestamp)
  expect(timeOf(made)).toBe(0xffff_fffe_ffff_ffffn)
})

test('what is no client, and a package that is not there, are refused in words', async () => {
  expect(() => clientIn({})).toThrow(OptionError)
  await expect(clientFor('mongodb://127.0.0.1:1', () => Promise.resolve({}))).rejects.toThrow(FeedError)
  const absent = () => Promise.reject(new Error('no mongodb here'))
  await expect(clientFor('mongodb://127.0.0.1:1', absent)).rejects.toThrow('npm install mongodb')
  const own = await clientFor('mongodb://127.0.0.1:1')
  expect(clientIn(own)).toBe(own)
  await own.close()
})
