/** Commands that read the collections of one member. */
import { aggregate, Query } from 'mingo'
import { CommandError } from './command-error.ts'
import type { Cursors } from './cursors.ts'
import type { Databases } from './databases.ts'
import type { Document } from './wire.ts'
import { placeOf } from './writes.ts'

export function find(data: Databases, cursors: Cursors, command: Document): Document {
  const { database, collection } = placeOf(command, 'find')
  const { filter = {}, projection = {}, sort, skip, limit, batchSize, singleBatch } = command
  let found = new Query(filter as Document).find<Document>(data.documents(database, collection), projection as Document)
  if (sort !== undefined) found = found.sort(plainSort(sort))
  if (skip !== undefined) found = found.skip(Number(skip))
  if (Number(limit ?? 0) !== 0) found = found.limit(Math.abs(Number(limit)))
  const size = singleBatch === true ? Number.POSITIVE_INFINITY : (batchSize as number | undefined)
  return cursors.first(`${database}.${collection}`, found.all(), size)
}

export function aggregateCommand(data: Databases, cursors: Cursors, command: Document): Document {
  const { database, collection } = placeOf(command, 'aggregate')
  const pipeline = (command.pipeline as Document[]).map((stage) =>
    '$sort' in stage ? { $sort: plainSort(stage.$sort) } : stage,
  )
  const found = aggregate(data.documents(database, collection), pipeline, {
    collectionResolver: (name) => data.documents(database, name),
  })
  const { batchSize } = (command.cursor ?? {}) as { batchSize?: number }
  return cursors.first(`${database}.${collection}`, found as Document[], batchSize)
}

export function count(data: Databases, command: Document): Document {
  const { database, collection } = placeOf(command, 'count')
  const query = new Query((command.query ?? {}) as Document)
  return { n: data.documents(database, collection).filter((document) => query.test(document)).length }
}

export function distinct(data: Databases, command: Document): Document {
  const { database, collection } = placeOf(command, 'distinct')
  const query = new Query((command.query ?? {}) as Document)
  const documents = data.documents(database, collection).filter((document) => query.test(document))
  const groups = aggregate(documents, [{ $group: { _id: `$${String(command.key)}` } }]) as Document[]
  return { values: groups.map(({ _id }) => _id) }
}

export function listCollections(data: Databases, cursors: Cursors, command: Document): Document {
  const database = command.$db as string
  const query = new Query((command.filter ?? {}) as Document)
  const listed = data.names(database).map((name) => {
    const { options } = data.find(database, name)!
    const { viewOn, timeseries } = options
    const type = viewOn !== undefined ? 'view' : timeseries === undefined ? 'collection' : 'timeseries'
    return { name, type, options, info: { readOnly: viewOn !== undefined } }
  })
  return cursors.first(
    `${database}.$cmd.listCollections`,
    listed.filter((one) => query.test(one)),
  )
}

export function collectionMustExist(data: Databases, database: string, collection: string): void {
  if (data.find(database, collection) === undefined) throw new CommandError(26, 'NamespaceNotFound', 'ns not found')
}

function plainSort(sort: unknown): Record<string, 1 | -1> {
  return (sort instanceof Map ? Object.fromEntries(sort) : sort) as Record<string, 1 | -1>
}
