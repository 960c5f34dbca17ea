/** What a key holds, put under another one: RENAME, MOVE and COPY. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Span } from '../../engine/span.ts'
import type { Client } from '../client.ts'

/** Puts a copy of what a key holds, with its expiry, in place of what `target` holds. */
export function copyTo(db: Keyspace, key: Span, targetDb: Keyspace, target: Span): void {
  const expiresAtMs = db.expiresAtMs(key)
  const value = db.collection(key)
  if (value !== undefined) targetDb.put(target, value.clone(), expiresAtMs)
  else copyString(db, key, targetDb, target, expiresAtMs)
}

/** As `copyTo`, and the key holds nothing any more. */
export function moveTo(db: Keyspace, key: Span, targetDb: Keyspace, target: Span): void {
  const expiresAtMs = db.expiresAtMs(key)
  const value = db.collection(key)
  if (value !== undefined) {
    db.delete(key)
    targetDb.put(target, value, expiresAtMs)
  } else {
    copyString(db, key, targetDb, target, expiresAtMs)
    db.delete(key)
  }
}

/** The database that a word names. */
export function databaseAt(client: Client, args: Arguments, at: number): Keyspace {
  const db = client.service.databases[args.integer(at)]
  if (db === undefined) throw new ReplyError('DB index is out of range')
  return db
}

export const sameObject = (): ReplyError => new ReplyError('source and destination objects are the same')

function copyString(db: Keyspace, key: Span, targetDb: Keyspace, target: Span, expiresAtMs: number): void {
  const bytes = db.editString(key)!.copy()
  targetDb.setString(target, bytes, 0, bytes.length, expiresAtMs)
}
