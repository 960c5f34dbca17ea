import type { Command } from '../command.ts'
import { combinationOf, packed, union } from './operations.ts'
import { storeSortedSet } from './range-query.ts'

/** Stores the members that any of the sets has, with their scores put together. */
export const zunionstore: Command = {
  name: 'zunionstore',
  since: '2.0.0',
  group: 'sorted_set',
  summary: 'Stores the members that any of the sets has, with their scores put together.',
  complexity: 'O(N)+O(M*log(M)) for N members of all sets, M of the result',
  arity: -4,
  flags: ['write', 'denyoom'],
  keys: [
    { first: 1, last: 1, access: 'OW', touches: ['update'] },
    { first: 3, last: { countAt: 2 }, access: 'RO', touches: ['access'] },
  ],
  syntax: 'destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]',
  run(client, args, reply) {
    const { db } = client
    const combination = combinationOf(client, args, 2, ['weights'])
    storeSortedSet(db, args, packed(union(combination), db.limits), 'zunionstore', reply)
  },
}
