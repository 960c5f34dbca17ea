/** What SCAN, HSCAN, SSCAN and ZSCAN are told, and how they answer. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError, syntaxError } from '../engine/errors.ts'
import { Glob } from '../engine/glob.ts'
import type { Reply } from '../engine/reply.ts'

/** Options of a step. */
export interface ScanOptions {
  /** About how many are looked at. */
  readonly count: number
  /** `undefined`: all are wanted. */
  readonly pattern: Glob | undefined
  /** SCAN only: the type of keys that are wanted, in small letters. */
  readonly type: string | undefined
}

/** The word that is a cursor. */
export function cursorOf(args: Arguments, at: number): number {
  const text = args.text(at)
  if (!/^\d{1,20}$/.test(text)) throw new ReplyError('invalid cursor')
  return Number(text)
}

/** The words behind the cursor. */
export function scanOptionsOf(args: Arguments, from: number, mayHaveType = false): ScanOptions {
  let count = 10
  let pattern: Glob | undefined
  let type: string | undefined
  for (let at = from; at < args.count; at += 2) {
    if (at + 1 >= args.count) throw syntaxError()
    if (args.is(at, 'count')) count = args.integer(at + 1)
    else if (args.is(at, 'match')) pattern = args.text(at + 1) === '*' ? undefined : new Glob(args.text(at + 1))
    else if (mayHaveType && args.is(at, 'type')) type = args.text(at + 1).toLowerCase()
    else throw syntaxError()
    if (count < 1) throw syntaxError()
  }
  return { count, pattern, type }
}

/** Answers with the cursor to go on with and what was found. */
export function replyScan(reply: Reply, cursor: number, found: readonly string[]): void {
  reply.array(2)
  reply.bulk(String(cursor))
  reply.array(found.length)
  for (const text of found) reply.bulk(text)
}
