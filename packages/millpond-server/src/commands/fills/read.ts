import type { Command } from '../command.ts'

/** What stands under keys, and what time it is here: so what is left of each life is known exactly. */
export const fillRead: Command = {
  name: 'read',
  since: '0.1.0',
  group: 'string',
  summary: "Returns the server's time in milliseconds, then the strings under several keys, as MGET does.",
  complexity: 'O(N) for N keys',
  arity: -3,
  flags: ['readonly', 'fast'],
  keys: [{ first: 2, last: -1, access: 'RO', touches: ['access'] }],
  syntax: 'key [key ...]',
  run({ db, service }, args, reply) {
    reply.array(args.count - 1)
    reply.integer(service.time.nowMs)
    for (let at = 2; at < args.count; at++) {
      const key = args.span(at)
      const type = db.typeOf(key)
      const value = type === undefined || type === 'string' ? db.readString(key) : undefined
      if (value === undefined) reply.nil()
      else reply.bytes(value.bytes, value.start, value.end)
    }
  },
}
