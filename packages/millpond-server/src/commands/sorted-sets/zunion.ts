import type { Command } from '../command.ts'
import { combinationOf, replySortedSet, union } from './operations.ts'

/** Tells the members that any of the sets has, with their scores put together. */
export const zunion: Command = {
  name: 'zunion',
  since: '6.2.0',
  group: 'sorted_set',
  summary: 'Tells the members that any of the sets has, with their scores put together.',
  complexity: 'O(N)+O(M*log(M)) for N members of all sets, M of the result',
  arity: -3,
  flags: ['readonly'],
  keys: [{ first: 2, last: { countAt: 1 }, access: 'RO', touches: ['access'] }],
  syntax: 'numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]',
  run(client, args, reply) {
    const combination = combinationOf(client, args, 1, ['weights', 'withscores'])
    replySortedSet(client, union(combination), combination.withScores, reply)
  },
}
