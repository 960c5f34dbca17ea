/** XRANGE and XREVRANGE. */
import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { STREAM } from '../../engine/values/stream.ts'
import type { Client } from '../client.ts'
import { endOf, startOf } from './ids.ts'
import { replyEntries } from './replies.ts'

/** Answers with the entries between two ids, `reversed` the last first. */
export function replyRange({ db }: Client, args: Arguments, reversed: boolean, reply: Reply): void {
  const start = startOf(args, reversed ? 3 : 2)
  const end = endOf(args, reversed ? 2 : 3)
  const count = countOf(args)
  const stream = db.read(args.span(1), STREAM)
  if (stream === undefined) reply.array(0)
  else if (count === 0) reply.nilArray()
  else replyEntries(reply, stream.range(start, end, count, reversed))
}

function countOf(args: Arguments): number {
  let count = Number.POSITIVE_INFINITY
  for (let at = 4; at < args.count; at += 2) {
    if (!args.is(at, 'count') || at + 1 >= args.count) throw syntaxError()
    count = Math.max(0, args.integer(at + 1))
  }
  return count
}
