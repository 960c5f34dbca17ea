import type { Command } from '../command.ts'
import { addScores } from './adding.ts'

/** Adds members with their scores to a sorted set, or changes their scores; makes the set if there is none. */
export const zadd: Command = {
  name: 'zadd',
  since: '1.2.0',
  group: 'sorted_set',
  summary: 'Adds members with their scores to a sorted set, or changes their scores; makes the set if there is none.',
  complexity: 'O(log(N)) for each member',
  arity: -4,
  flags: ['write', 'denyoom', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['update'] }],
  syntax: 'key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]',
  run(client, args, reply) {
    addScores(client, args, reply, false)
  },
}
