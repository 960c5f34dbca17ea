import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'

/** Tells whether something is a member of a set. */
export const sismember: Command = {
  name: 'sismember',
  since: '1.0.0',
  group: 'set',
  summary: 'Tells whether something is a member of a set.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO' }],
  syntax: 'key member',
  run({ db }, args, reply) {
    reply.integer(db.read(args.span(1), SET)?.hasWord(args, 2) ? 1 : 0)
  },
}
