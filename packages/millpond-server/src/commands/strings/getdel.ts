import type { Command } from '../command.ts'
import { removeKey } from '../key-changes.ts'
import { oneKey } from '../key-specs.ts'

/** The value of a string, which is removed. */
export const getdel: Command = {
  name: 'getdel',
  since: '6.2.0',
  group: 'string',
  summary: 'Returns the string under a key and removes the key.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['write', 'fast'],
  keys: oneKey('RW', ['access', 'delete']),
  syntax: 'key',
  run(client, args, reply) {
    const { db } = client
    const key = args.span(1)
    const value = db.readString(key)
    if (value === undefined) {
      reply.nil()
      return
    }
    reply.bytes(value.bytes, value.start, value.end)
    removeKey(client, key)
  },
}
