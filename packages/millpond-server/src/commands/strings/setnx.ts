import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** Puts a string under a key that holds nothing. */
export const setnx: Command = {
  name: 'setnx',
  since: '1.0.0',
  group: 'string',
  summary: 'Puts a string under a key if it holds nothing. SET with NX does the same.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('OW', ['insert']),
  syntax: 'key value',
  run({ db }, args, reply) {
    const key = args.span(1)
    if (db.typeOf(key) !== undefined) {
      reply.integer(0)
      return
    }
    db.setString(key, args.bytes, args.start(2), args.end(2))
    db.changed(key, 'set', '$')
    reply.integer(1)
  },
}
