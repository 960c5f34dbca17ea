import type { Command } from '../command.ts'

/** The value of a string. */
export const get: Command = {
  name: 'get',
  since: '1.0.0',
  group: 'string',
  summary: 'Returns the string value of a key.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key',
  run({ db }, args, reply) {
    const value = db.readString(args.span(1))
    if (value === undefined) reply.nil()
    else reply.bytes(value.bytes, value.start, value.end)
  },
}
