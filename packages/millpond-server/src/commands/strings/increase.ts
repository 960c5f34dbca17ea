/** Adds whole numbers to the number that a string's digits say. */
import { parseInt64 } from '../../engine/arguments.ts'
import { readInteger, writeInteger } from '../../engine/digits.ts'
import { notInteger, wouldOverflow } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Span } from '../../engine/span.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)
/** Where digits are written before they are stored. */
const DIGITS: Buffer = Buffer.alloc(20)

/** Adds, and answers with the sum. Numbers that doubles hold exactly are read and written as bytes, without text in between. */
export function increase(db: Keyspace, key: Span, amount: number, reply: Reply): void {
  const view = db.editString(key)
  const old = view === undefined ? 0 : readInteger(view.bytes, view.start, view.end)
  const sum = old + amount
  if (!Number.isSafeInteger(sum)) {
    increaseFar(db, key, BigInt(amount), reply)
    return
  }
  const start = writeInteger(sum, DIGITS)
  if (view === undefined) db.setString(key, DIGITS, start, DIGITS.length)
  else db.overwrite(key, view, DIGITS, start, DIGITS.length)
  db.changed(key, 'incrby', '$')
  reply.integer(sum)
}

/** As `increase`, for all numbers of 64 bits. */
export function increaseFar(db: Keyspace, key: Span, amount: bigint, reply: Reply): void {
  const view = db.editString(key)
  const old = view === undefined ? 0n : parseInt64(String.fromCharCode(...view.bytes.subarray(view.start, view.end)))
  if (old === undefined) throw notInteger()
  const sum = old + amount
  if (sum > INT64_MAX || sum < INT64_MIN) throw wouldOverflow()
  const digits = Buffer.from(String(sum))
  db.setString(key, digits, 0, digits.length, view === undefined ? Infinity : view.expiresAtMs)
  db.changed(key, 'incrby', '$')
  reply.integer(sum)
}
