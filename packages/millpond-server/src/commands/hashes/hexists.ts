import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { readHash } from './live-hash.ts'

/** Whether there is a field. */
export const hexists: Command = {
  name: 'hexists',
  since: '2.0.0',
  group: 'hash',
  summary: 'Tells whether a hash has a field.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', []),
  syntax: 'key field',
  run(client, args, reply) {
    reply.integer(readHash(client, args.span(1))?.has(args.text(2)) ? 1 : 0)
  },
}
