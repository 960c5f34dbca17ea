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
  /** HSCAN only: fields without their values. */
  readonly noValues: boolean
}

/** The word that is a cursor. */
export function cursorOf(args: Arguments, at: number): number {
  const text = args.text(at)
  if (!/^\d{1,20}$/.test(text)) throw new ReplyError('invalid cursor')
  return Number(text)
}

/** The words behind the cursor. */
export function scanOptionsOf(args: Arguments, from: number, more?: 'type' | 'noValues'): ScanOptions {
  let count = 10
  let pattern: Glob | undefined
  let type: string | undefined
  let noValues = false
  for (let at = from; at < args.count; at += 2) {
    if (more === 'noValues' && args.is(at, 'novalues')) {
      noValues = true
      at--
      continue
    }
    if (at + 1 >= args.count) throw syntaxError()
    if (args.is(at, 'count')) count = args.integer(at + 1)
    else if (args.is(at, 'match')) pattern = args.text(at + 1) === '*' ? undefined : new Glob(args.text(at + 1))
    else if (more === 'type' && args.is(at, 'type')) type = args.text(at + 1).toLowerCase()
    else throw syntaxError()
    if (count < 1) throw syntaxError()
  }
  return { count, pattern, type, noValues }
}

/** Answers with the cursor to go on with and what was found. */
export function replyScan(reply: Reply, cursor: number, found: readonly string[]): void {
  reply.array(2)
  reply.bulk(String(cursor))
  reply.array(found.length)
  for (const text of found) reply.bulk(text)
}
