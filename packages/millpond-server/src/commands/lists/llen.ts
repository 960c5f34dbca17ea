import { LIST } from '../../engine/values/list.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** How long a list is. */
export const llen: Command = {
  name: 'llen',
  since: '1.0.0',
  group: 'list',
  summary: 'Returns the number of elements of a list.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', []),
  syntax: 'key',
  run({ db }, args, reply) {
    reply.integer(db.read(args.span(1), LIST)?.size ?? 0)
  },
}
