/** The slice of a collection of `mongodb` that is called; client.types.test.ts proves it against the real types. */
import type { Document, MongoClient, MongoDb } from '../client.ts'

export interface MongoCollection {
  readonly collectionName: string
  readonly dbName: string
  readonly db: MongoDb & { readonly client: MongoClient }
  find(filter?: Document, options?: Document): MongoCursor
  findOne(filter?: Document, options?: Document): Promise<unknown>
  aggregate(pipeline?: Document[], options?: Document): MongoCursor
  countDocuments(filter?: Document, options?: Document): Promise<number>
}

/** What of a cursor is answered from the cache: everything else is the driver's. */
export interface MongoCursor {
  toArray(): Promise<unknown[]>
}

/** The methods by which a cursor of `find` takes what could have stood among its options. */
export const OPTION_METHODS: Readonly<Record<string, string>> = {
  sort: 'sort',
  limit: 'limit',
  skip: 'skip',
  project: 'projection',
  hint: 'hint',
  comment: 'comment',
  batchSize: 'batchSize',
  maxTimeMS: 'maxTimeMS',
  allowDiskUse: 'allowDiskUse',
}

export const WRITES: readonly string[] =
  'insertOne insertMany updateOne updateMany replaceOne deleteOne deleteMany findOneAndUpdate findOneAndReplace findOneAndDelete bulkWrite drop rename'.split(
    ' ',
  )
