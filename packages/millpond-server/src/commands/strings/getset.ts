import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** Puts a string under a key, and tells what was there. */
export const getset: Command = {
  name: 'getset',
  since: '1.0.0',
  group: 'string',
  summary: 'Puts a string under a key and returns the one before it. SET with GET does the same.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['access', 'update']),
  syntax: 'key value',
  run({ db }, args, reply) {
    const key = args.span(1)
    const old = db.readString(key)?.copy()
    db.setString(key, args.bytes, args.start(2), args.end(2))
    db.changed(key, 'set', '$')
    if (old === undefined) reply.nil()
    else reply.bytes(old, 0, old.length)
  },
}
