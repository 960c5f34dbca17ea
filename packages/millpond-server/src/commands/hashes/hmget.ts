import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { readHash } from './live-hash.ts'

/** The values of several fields. */
export const hmget: Command = {
  name: 'hmget',
  since: '2.0.0',
  group: 'hash',
  summary: 'Returns the values of fields of a hash.',
  complexity: 'O(N) for N fields',
  arity: -3,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', ['access']),
  syntax: 'key field [field ...]',
  run(client, args, reply) {
    const hash = readHash(client, args.span(1))
    reply.array(args.count - 2)
    for (let at = 2; at < args.count; at++) {
      const value = hash?.getBytes(args.bytes, args.start(at), args.end(at))
      if (value === undefined) reply.nil()
      else reply.bulk(value)
    }
  },
}
