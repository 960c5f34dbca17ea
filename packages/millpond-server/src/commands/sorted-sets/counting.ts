/** What is told or removed by place in the order: counts of ranges, ranks. */
import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { SORTED_SET } from '../../engine/values/sorted-set.ts'
import type { Client } from '../client.ts'
import type { Range } from './ranges.ts'

/** Answers with how many members of the set under the first word lie within a range. */
export function replyCount({ db }: Client, args: Arguments, range: Range, reply: Reply): void {
  const set = db.read(args.span(1), SORTED_SET)
  if (set === undefined) {
    reply.integer(0)
    return
  }
  const { from, to } = range(set)
  reply.integer(Math.max(0, to - from))
}

/** Removes the members within a range from the set under the first word, and answers with their number. */
export function removeRange({ db }: Client, args: Arguments, range: Range, event: string, reply: Reply): void {
  const key = args.span(1)
  const set = db.edit(key, SORTED_SET)
  const { from, to } = set === undefined ? { from: 0, to: 0 } : range(set)
  const removed = Math.max(0, to - from)
  if (removed > 0) {
    set!.deleteRanks(from, to)
    db.changed(key, event, 'z')
  }
  reply.integer(removed)
}

/** ZRANK and ZREVRANK. */
export function replyRank({ db }: Client, args: Arguments, reversed: boolean, reply: Reply): void {
  const withScore = args.count > 3
  if (withScore && (args.count > 4 || !args.is(3, 'withscore'))) throw syntaxError()
  const set = db.read(args.span(1), SORTED_SET)
  const member = args.text(2)
  const rank = set?.rank(member)
  if (set === undefined || rank === undefined) {
    if (withScore) reply.nilArray()
    else reply.nil()
    return
  }
  if (withScore) reply.array(2)
  reply.integer(reversed ? set.size - 1 - rank : rank)
  if (withScore) reply.double(set.score(member)!)
}
