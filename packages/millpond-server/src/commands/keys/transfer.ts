/** What a key holds, put under another one: RENAME, MOVE and COPY. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Held, Keyspace } from '../../engine/keyspace.ts'
import type { Span } from '../../engine/span.ts'
import type { Collection } from '../../engine/value.ts'
import type { Client } from '../client.ts'

/** Puts a copy of what a key holds, with its expiry, in place of what `target` holds. */
export function copyTo(db: Keyspace, key: Span, targetDb: Keyspace, target: Span): void {
  put(targetDb, target, db.peek(key)!, (value) => value.clone())
}

/** As `copyTo`, and the key holds nothing any more. */
export function moveTo(db: Keyspace, key: Span, targetDb: Keyspace, target: Span): void {
  const held = db.peek(key)!
  db.delete(key)
  put(targetDb, target, held, (value) => value)
}

/** The database that a word names. */
export function databaseAt(client: Client, args: Arguments, at: number): Keyspace {
  const db = client.service.databases[args.integer(at)]
  if (db === undefined) throw new ReplyError('DB index is out of range')
  return db
}

export const sameObject = (): ReplyError => new ReplyError('source and destination objects are the same')

function put(db: Keyspace, key: Span, held: Held, take: (value: Collection) => Collection): void {
  const { bytes, form, value, expiresAtMs, clientFlags = 0 } = held
  if (value !== undefined) db.put(key, take(value), expiresAtMs)
  else db.setFlagged(key, bytes!, clientFlags, expiresAtMs, form)
}
