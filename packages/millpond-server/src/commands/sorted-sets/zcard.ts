import { SORTED_SET } from '../../engine/values/sorted-set.ts'
import type { Command } from '../command.ts'

/** Tells how many members a sorted set has. */
export const zcard: Command = {
  name: 'zcard',
  since: '1.2.0',
  group: 'sorted_set',
  summary: 'Tells how many members a sorted set has.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO' }],
  syntax: 'key',
  run({ db }, args, reply) {
    reply.integer(db.read(args.span(1), SORTED_SET)?.size ?? 0)
  },
}
