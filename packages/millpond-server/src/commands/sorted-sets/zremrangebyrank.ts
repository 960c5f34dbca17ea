import type { Command } from '../command.ts'
import { removeRange } from './counting.ts'
import { rangeByRank } from './ranges.ts'

/** Removes the members within a range of ranks. */
export const zremrangebyrank: Command = {
  name: 'zremrangebyrank',
  since: '2.0.0',
  group: 'sorted_set',
  summary: 'Removes the members within a range of ranks.',
  complexity: 'O(log(N)+M) for M members removed',
  arity: 4,
  flags: ['write'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['delete'] }],
  syntax: 'key start stop',
  run(client, args, reply) {
    removeRange(client, args, rangeByRank(args, 2, 3), 'zremrangebyrank', reply)
  },
}
