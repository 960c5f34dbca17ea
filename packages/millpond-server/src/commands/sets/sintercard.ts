import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { countOf } from '../counts.ts'
import { eachCommon, setsOf } from './operations.ts'

/** Tells how many members all sets have in common, up to a limit. */
export const sintercard: Command = {
  name: 'sintercard',
  since: '7.0.0',
  group: 'set',
  summary: 'Tells how many members all sets have in common, up to a limit.',
  complexity: 'O(N * M) for N members of the smallest of M sets',
  arity: -3,
  flags: ['readonly'],
  keys: [{ first: 2, last: { countAt: 1 }, access: 'RO', touches: ['access'] }],
  syntax: 'numkeys key [key ...] [LIMIT limit]',
  run({ db }, args, reply) {
    const keys = countOf(args, 1, 'numkeys should be greater than 0', 1)
    if (keys > args.count - 2) throw new ReplyError("Number of keys can't be greater than number of args")
    const limit = limitOf(args, 2 + keys)
    let found = 0
    eachCommon(setsOf(db, args, 2, 2 + keys), () => ++found < limit)
    reply.integer(found)
  },
}

/** The limit after the keys. 0 is none. */
function limitOf(args: Arguments, from: number): number {
  let limit = 0
  for (let at = from; at < args.count; at += 2) {
    if (!args.is(at, 'limit') || at + 1 >= args.count) throw syntaxError()
    limit = countOf(args, at + 1, "LIMIT can't be negative")
  }
  return limit || Number.POSITIVE_INFINITY
}
