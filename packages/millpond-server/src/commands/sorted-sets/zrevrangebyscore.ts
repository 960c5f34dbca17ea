import type { Command } from '../command.ts'
import { replyRange } from './range-query.ts'

/** Tells the members with a score within a range, the highest first. */
export const zrevrangebyscore: Command = {
  name: 'zrevrangebyscore',
  since: '2.2.0',
  group: 'sorted_set',
  summary: 'Tells the members with a score within a range, the highest first.',
  complexity: 'O(log(N)+M) for M members told',
  arity: -4,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key max min [WITHSCORES] [LIMIT offset count]',
  run(client, args, reply) {
    replyRange(client, args, { kind: 'score', reversed: true }, reply)
  },
}
