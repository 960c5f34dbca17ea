import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { readHash } from './live-hash.ts'

/** How many fields there are. */
export const hlen: Command = {
  name: 'hlen',
  since: '2.0.0',
  group: 'hash',
  summary: 'Returns the number of fields of a hash.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', []),
  syntax: 'key',
  run(client, args, reply) {
    reply.integer(readHash(client, args.span(1))?.size ?? 0)
  },
}
