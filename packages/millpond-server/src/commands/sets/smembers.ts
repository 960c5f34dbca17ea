import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'
import { replySet } from './operations.ts'

/** Tells all members of a set. */
export const smembers: Command = {
  name: 'smembers',
  since: '1.0.0',
  group: 'set',
  summary: 'Tells all members of a set.',
  complexity: 'O(N) for N members',
  arity: 2,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key',
  run({ db }, args, reply) {
    const set = db.read(args.span(1), SET)
    if (set === undefined) reply.set(0)
    else replySet(reply, set)
  },
}
