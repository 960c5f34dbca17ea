import type { Command } from '../command.ts'
import { combinationOf, intersection, packed } from './operations.ts'
import { storeSortedSet } from './range-query.ts'

/** Stores the members that all sets have, with their scores put together. */
export const zinterstore: Command = {
  name: 'zinterstore',
  since: '2.0.0',
  group: 'sorted_set',
  summary: 'Stores the members that all sets have, with their scores put together.',
  complexity: 'O(N*K)+O(M*log(M)) for N members of the smallest of K sets, M of the result',
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
    storeSortedSet(db, args, packed(intersection(combination), db.limits), 'zinterstore', reply)
  },
}
