import type { Command } from '../command.ts'
import { replyCount } from './counting.ts'
import { rangeByMember } from './ranges.ts'

/** Tells how many members lie within a range of members, where all scores are equal. */
export const zlexcount: Command = {
  name: 'zlexcount',
  since: '2.8.9',
  group: 'sorted_set',
  summary: 'Tells how many members lie within a range of members, where all scores are equal.',
  complexity: 'O(log(N))',
  arity: 4,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key min max',
  run(client, args, reply) {
    replyCount(client, args, rangeByMember(args, 2, 3), reply)
  },
}
