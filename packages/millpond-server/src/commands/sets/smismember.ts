import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'

/** Tells of each of several whether it is a member of a set. */
export const smismember: Command = {
  name: 'smismember',
  since: '6.2.0',
  group: 'set',
  summary: 'Tells of each of several whether it is a member of a set.',
  complexity: 'O(N) for N things asked for',
  arity: -3,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key member [member ...]',
  run({ db }, args, reply) {
    const set = db.read(args.span(1), SET)
    reply.array(args.count - 2)
    for (let at = 2; at < args.count; at++) reply.integer(set?.hasWord(args, at) ? 1 : 0)
  },
}
