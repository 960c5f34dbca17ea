import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { readHash } from './live-hash.ts'

/** The value of a field. */
export const hget: Command = {
  name: 'hget',
  since: '2.0.0',
  group: 'hash',
  summary: 'Returns the value of a field of a hash.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', ['access']),
  syntax: 'key field',
  run(client, args, reply) {
    const value = readHash(client, args.span(1))?.getBytes(args.bytes, args.start(2), args.end(2))
    if (value === undefined) reply.nil()
    else reply.bulk(value)
  },
}
