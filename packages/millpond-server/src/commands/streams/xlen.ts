import { STREAM } from '../../engine/values/stream.ts'
import type { Command } from '../command.ts'

/** Tells how many entries a stream has. */
export const xlen: Command = {
  name: 'xlen',
  since: '5.0.0',
  group: 'stream',
  summary: 'Tells how many entries a stream has.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO' }],
  syntax: 'key',
  run({ db }, args, reply) {
    reply.integer(db.read(args.span(1), STREAM)?.size ?? 0)
  },
}
