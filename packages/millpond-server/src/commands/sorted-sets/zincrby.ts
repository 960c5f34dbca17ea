import type { Command } from '../command.ts'
import { addScores } from './adding.ts'

/** Adds to the score of a member, which is 0 if there is none. */
export const zincrby: Command = {
  name: 'zincrby',
  since: '1.2.0',
  group: 'sorted_set',
  summary: 'Adds to the score of a member, which is 0 if there is none.',
  complexity: 'O(log(N))',
  arity: 4,
  flags: ['write', 'denyoom', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['access', 'update'] }],
  syntax: 'key increment member',
  run(client, args, reply) {
    addScores(client, args, reply, true)
  },
}
