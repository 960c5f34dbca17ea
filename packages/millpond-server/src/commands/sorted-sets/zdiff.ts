import type { Command } from '../command.ts'
import { combinationOf, difference, replySortedSet } from './operations.ts'

/** Tells the members of the first sorted set that no other has. */
export const zdiff: Command = {
  name: 'zdiff',
  since: '6.2.0',
  group: 'sorted_set',
  summary: 'Tells the members of the first sorted set that no other has.',
  complexity: 'O(N)+O(M*log(M)) for N members of all sets, M of the result',
  arity: -3,
  flags: ['readonly'],
  keys: [{ first: 2, last: { countAt: 1 }, access: 'RO', touches: ['access'] }],
  syntax: 'numkeys key [key ...] [WITHSCORES]',
  run(client, args, reply) {
    const combination = combinationOf(client, args, 1, ['withscores'])
    replySortedSet(client, difference(combination), combination.withScores, reply)
  },
}
