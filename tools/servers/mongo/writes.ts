/** Commands that write: each becomes changes, which the log takes at once, or at the commit of their transaction. */

import { aggregate, Query, updateOne } from 'mingo'
import { BSON } from 'mongodb'
import { CommandError } from './command-error.ts'
import { copyOf, type Databases, idKey, isSame } from './databases.ts'
import type { Change } from './oplog.ts'
import type { Document } from './wire.ts'

/** Where a command writes: what it sees, and what takes its changes. */
export interface WriteTarget {
  readonly data: Databases
  write(change: Change): void
}

export function insert(target: WriteTarget, command: Document): Document {
  const { database, collection } = placeOf(command, 'insert')
  makeCollection(target, database, collection)
  const writeErrors: Document[] = []
  for (const [index, given] of (command.documents as Document[]).entries()) {
    const after = given._id === undefined ? { _id: new BSON.ObjectId(), ...given } : given
    if (target.data.find(database, collection)!.documents.has(idKey(after._id))) {
      writeErrors.push({ index, code: 11000, errmsg: 'E11000 duplicate key error' })
      if (command.ordered !== false) break
    } else target.write({ kind: 'insert', database, collection, id: after._id, after })
  }
  const n = (command.documents as Document[]).length - writeErrors.length
  return { n, ...(writeErrors.length > 0 && { writeErrors }) }
}

interface UpdateStatement {
  readonly q: Document
  readonly u: Document | Document[]
  readonly multi?: boolean
  readonly upsert?: boolean
}

export function update(target: WriteTarget, command: Document): Document {
  const { database, collection } = placeOf(command, 'update')
  makeCollection(target, database, collection)
  const upserted: Document[] = []
  let [n, nModified] = [0, 0]
  for (const [index, statement] of (command.updates as UpdateStatement[]).entries()) {
    const found = matching(target, database, collection, statement.q)
    for (const before of statement.multi === true ? found : found.slice(0, 1)) {
      n++
      if (updateDocument(target, { database, collection }, before, statement.u)) nModified++
    }
    if (found.length > 0 || statement.upsert !== true) continue
    const after = upsertedDocument(statement)
    target.write({ kind: 'insert', database, collection, id: after._id, after })
    upserted.push({ index, _id: after._id })
    n++
  }
  return { n, nModified, ...(upserted.length > 0 && { upserted }) }
}

export function remove(target: WriteTarget, command: Document): Document {
  const { database, collection } = placeOf(command, 'delete')
  let n = 0
  for (const { q, limit } of command.deletes as { q: Document; limit: number }[]) {
    const found = matching(target, database, collection, q)
    for (const before of limit === 1 ? found.slice(0, 1) : found) {
      target.write({ kind: 'delete', database, collection, id: before._id, before })
      n++
    }
  }
  return { n }
}

export function findAndModify(target: WriteTarget, command: Document): Document {
  const { database, collection } = placeOf(command, 'findAndModify')
  const [before] = matching(target, database, collection, command.query as Document)
  if (before === undefined) return { value: null, lastErrorObject: { n: 0, updatedExisting: false } }
  if (command.remove === true) target.write({ kind: 'delete', database, collection, id: before._id, before })
  else updateDocument(target, { database, collection }, before, command.update as Document)
  const after = target.data.find(database, collection)!.documents.get(idKey(before._id)) ?? null
  return { value: command.new === true ? after : before, lastErrorObject: { n: 1, updatedExisting: true } }
}

export function placeOf(command: Document, name: string): { database: string; collection: string } {
  return { database: command.$db as string, collection: command[name] as string }
}

export function makeCollection(target: WriteTarget, database: string, collection: string, options?: Document): void {
  if (target.data.find(database, collection) === undefined)
    target.write({ kind: 'create', database, collection, options: options ?? {} })
  else if (options !== undefined) throw new CommandError(48, 'NamespaceExists', `${collection} already exists`)
}

function matching({ data }: WriteTarget, database: string, collection: string, filter: Document): Document[] {
  const query = new Query(filter)
  return data.documents(database, collection).filter((document) => query.test(document))
}

/** Returns whether the document became another one. */
function updateDocument(
  target: WriteTarget,
  place: { database: string; collection: string },
  before: Document,
  change: Document | Document[],
): boolean {
  const after = changed(before, change)
  if (isSame(after, before)) return false
  const updateDescription = isReplacement(change) ? undefined : describe(before, after)
  const kind = updateDescription ? 'update' : 'replace'
  target.write({ kind, ...place, id: before._id, before, after, ...(updateDescription && { updateDescription }) })
  return true
}

function changed(before: Document, change: Document | Document[]): Document {
  if (Array.isArray(change)) return aggregate([copyOf(before)], change)[0] as Document
  if (isReplacement(change)) return { _id: before._id, ...change }
  const after = copyOf(before)
  updateOne([after], {}, change as never)
  return after
}

function isReplacement(change: Document | Document[]): boolean {
  return !Array.isArray(change) && Object.keys(change)[0]?.startsWith('$') !== true
}

function describe(before: Document, after: Document): Document {
  const updated = Object.entries(after).filter(([name, value]) => !isSame(value, before[name]))
  const removedFields = Object.keys(before).filter((name) => !(name in after))
  return { updatedFields: Object.fromEntries(updated), removedFields, truncatedArrays: [] }
}

function upsertedDocument({ q, u }: UpdateStatement): Document {
  const equalities = Object.entries(q).filter(([name, value]) => !name.startsWith('$') && !hasOperators(value))
  return changed({ _id: new BSON.ObjectId(), ...Object.fromEntries(equalities) }, u)
}

function hasOperators(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value)[0]?.startsWith('$') === true
}
