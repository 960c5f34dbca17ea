import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'

/** Tells how many members a set has. */
export const scard: Command = {
  name: 'scard',
  since: '1.0.0',
  group: 'set',
  summary: 'Tells how many members a set has.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO' }],
  syntax: 'key',
  run({ db }, args, reply) {
    reply.integer(db.read(args.span(1), SET)?.size ?? 0)
  },
}
