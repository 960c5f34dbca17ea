import type { Command } from '../command.ts'
import { replyRank } from './counting.ts'

/** Tells the rank of a member, from the lowest score, and its score if asked. */
export const zrank: Command = {
  name: 'zrank',
  since: '2.0.0',
  group: 'sorted_set',
  summary: 'Tells the rank of a member, from the lowest score, and its score if asked.',
  complexity: 'O(log(N))',
  arity: -3,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key member [WITHSCORE]',
  run(client, args, reply) {
    replyRank(client, args, false, reply)
  },
}
