import type { Command } from '../command.ts'
import { removeRange } from './counting.ts'
import { rangeByScore } from './ranges.ts'

/** Removes the members with a score within a range. */
export const zremrangebyscore: Command = {
  name: 'zremrangebyscore',
  since: '1.2.0',
  group: 'sorted_set',
  summary: 'Removes the members with a score within a range.',
  complexity: 'O(log(N)+M) for M members removed',
  arity: 4,
  flags: ['write'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['delete'] }],
  syntax: 'key min max',
  run(client, args, reply) {
    removeRange(client, args, rangeByScore(args, 2, 3), 'zremrangebyscore', reply)
  },
}
