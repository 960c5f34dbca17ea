import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { readHash } from './live-hash.ts'

/** How long the value of a field is. */
export const hstrlen: Command = {
  name: 'hstrlen',
  since: '3.2.0',
  group: 'hash',
  summary: 'Returns the length of the value of a field, in bytes; 0 where there is none.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', []),
  syntax: 'key field',
  run(client, args, reply) {
    reply.integer(readHash(client, args.span(1))?.get(args.text(2))?.length ?? 0)
  },
}
