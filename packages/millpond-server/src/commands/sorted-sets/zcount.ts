import type { Command } from '../command.ts'
import { replyCount } from './counting.ts'
import { rangeByScore } from './ranges.ts'

/** Tells how many members have a score within a range. */
export const zcount: Command = {
  name: 'zcount',
  since: '2.0.0',
  group: 'sorted_set',
  summary: 'Tells how many members have a score within a range.',
  complexity: 'O(log(N))',
  arity: 4,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key min max',
  run(client, args, reply) {
    replyCount(client, args, rangeByScore(args, 2, 3), reply)
  },
}
