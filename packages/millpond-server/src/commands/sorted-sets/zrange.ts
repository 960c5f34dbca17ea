import type { Command } from '../command.ts'
import { replyRange } from './range-query.ts'

/** Tells the members within a range of ranks, scores or members, in order or in the opposite order. */
export const zrange: Command = {
  name: 'zrange',
  since: '1.2.0',
  group: 'sorted_set',
  summary: 'Tells the members within a range of ranks, scores or members, in order or in the opposite order.',
  complexity: 'O(log(N)+M) for M members told',
  arity: -4,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]',
  run(client, args, reply) {
    replyRange(client, args, {}, reply)
  },
}
