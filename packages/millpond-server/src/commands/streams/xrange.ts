import type { Command } from '../command.ts'
import { replyRange } from './ranges.ts'

/** Tells the entries within a range of ids. */
export const xrange: Command = {
  name: 'xrange',
  since: '5.0.0',
  group: 'stream',
  summary: 'Tells the entries within a range of ids.',
  complexity: 'O(log(N)+M) for M entries told',
  arity: -4,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key start end [COUNT count]',
  run(client, args, reply) {
    replyRange(client, args, false, reply)
  },
}
