import type { Command } from '../command.ts'
import { keysTo } from '../key-specs.ts'

/** The values of several strings. */
export const mget: Command = {
  name: 'mget',
  since: '1.0.0',
  group: 'string',
  summary: 'Returns the strings under several keys; nothing for a key that holds something else.',
  complexity: 'O(N) for N keys',
  arity: -2,
  flags: ['readonly', 'fast'],
  keys: keysTo(-1, 'RO', ['access']),
  syntax: 'key [key ...]',
  run({ db }, args, reply) {
    reply.array(args.count - 1)
    for (let at = 1; at < args.count; at++) {
      const key = args.span(at)
      const type = db.typeOf(key)
      const value = type === undefined || type === 'string' ? db.readString(key) : undefined
      if (value === undefined) reply.nil()
      else reply.bytes(value.bytes, value.start, value.end)
    }
  },
}
