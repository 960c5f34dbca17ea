import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { editOrNewHash } from './live-hash.ts'

/** Gives a field a value if it has none. */
export const hsetnx: Command = {
  name: 'hsetnx',
  since: '2.0.0',
  group: 'hash',
  summary: 'Gives a field of a hash a value if it has none.',
  complexity: 'O(1)',
  arity: 4,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['insert']),
  syntax: 'key field value',
  run(client, args, reply) {
    const hash = editOrNewHash(client, args.span(1))
    const field = args.text(2)
    if (hash.has(field)) {
      reply.integer(0)
      return
    }
    hash.set(field, args.text(3))
    client.db.changed(args.span(1), 'hset', 'h')
    reply.integer(1)
  },
}
