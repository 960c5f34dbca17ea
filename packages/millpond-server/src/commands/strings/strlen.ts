import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** How long a string is. */
export const strlen: Command = {
  name: 'strlen',
  since: '2.2.0',
  group: 'string',
  summary: 'Returns the length of a string in bytes; 0 where there is none.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', []),
  syntax: 'key',
  run({ db }, args, reply) {
    reply.integer(Math.max(0, db.readLength(args.span(1))))
  },
}
