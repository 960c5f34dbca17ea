import type { Command } from '../command.ts'
import { replyRange } from './range-query.ts'

/** Tells the members with a score within a range. */
export const zrangebyscore: Command = {
  name: 'zrangebyscore',
  since: '1.0.5',
  group: 'sorted_set',
  summary: 'Tells the members with a score within a range.',
  complexity: 'O(log(N)+M) for M members told',
  arity: -4,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key min max [WITHSCORES] [LIMIT offset count]',
  run(client, args, reply) {
    replyRange(client, args, { kind: 'score', reversed: false }, reply)
  },
}
