import type { Command } from '../command.ts'
import { removeRange } from './counting.ts'
import { rangeByMember } from './ranges.ts'

/** Removes the members within a range of members, where all scores are equal. */
export const zremrangebylex: Command = {
  name: 'zremrangebylex',
  since: '2.8.9',
  group: 'sorted_set',
  summary: 'Removes the members within a range of members, where all scores are equal.',
  complexity: 'O(log(N)+M) for M members removed',
  arity: 4,
  flags: ['write'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['delete'] }],
  syntax: 'key min max',
  run(client, args, reply) {
    removeRange(client, args, rangeByMember(args, 2, 3), 'zremrangebylex', reply)
  },
}
