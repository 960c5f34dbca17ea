import type { Command } from '../command.ts'
import { replyRange } from './ranges.ts'

/** Tells the entries within a range of ids, the last first. */
export const xrevrange: Command = {
  name: 'xrevrange',
  since: '5.0.0',
  group: 'stream',
  summary: 'Tells the entries within a range of ids, the last first.',
  complexity: 'O(log(N)+M) for M entries told',
  arity: -4,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key end start [COUNT count]',
  run(client, args, reply) {
    replyRange(client, args, true, reply)
  },
}
