import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

function commandFor(name: string, since: string, summary: string): Command {
  return {
    name,
    since,
    group: 'string',
    summary,
    complexity: 'O(N) for N bytes that are returned',
    arity: 4,
    flags: ['readonly'],
    keys: oneKey('RO', ['access']),
    syntax: 'key start end',
    run({ db }, args, reply) {
      const first = args.integer(2)
      const last = args.integer(3)
      const key = args.span(1)
      const length = Math.max(0, db.readLength(key))
      const from = Math.max(0, first < 0 ? length + first : first)
      const to = Math.min(length - 1, Math.max(0, last < 0 ? length + last : last))
      const crossed = first < 0 && last < 0 && first > last
      const part = Buffer.allocUnsafe(crossed || from > to ? 0 : to - from + 1)
      if (part.length > 0) db.readPart(key, from, part.length, part)
      reply.bytes(part, 0, part.length)
    },
  }
}

/** A part of a string. */
export const getrange: Command = commandFor(
  'getrange',
  '2.4.0',
  'Returns a part of a string; places below 0 count from its end.',
)
export const substr: Command = commandFor('substr', '1.0.0', 'Returns a part of a string: the old name of GETRANGE.')
