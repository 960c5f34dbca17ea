import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** What a key holds. */
export const type: Command = {
  name: 'type',
  since: '1.0.0',
  group: 'generic',
  summary: 'Tells what a key holds: string, list, set, zset, hash, stream, or none.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', []),
  syntax: 'key',
  run({ db }, args, reply) {
    reply.simple(db.typeOf(args.span(1)) ?? 'none')
  },
}
