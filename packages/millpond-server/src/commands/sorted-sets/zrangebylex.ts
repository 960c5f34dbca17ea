import type { Command } from '../command.ts'
import { replyRange } from './range-query.ts'

/** Tells the members within a range of members, where all scores are equal. */
export const zrangebylex: Command = {
  name: 'zrangebylex',
  since: '2.8.9',
  group: 'sorted_set',
  summary: 'Tells the members within a range of members, where all scores are equal.',
  complexity: 'O(log(N)+M) for M members told',
  arity: -4,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key min max [LIMIT offset count]',
  run(client, args, reply) {
    replyRange(client, args, { kind: 'member', reversed: false }, reply)
  },
}
