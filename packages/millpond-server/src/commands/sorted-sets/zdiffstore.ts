import type { Command } from '../command.ts'
import { combinationOf, difference, packed } from './operations.ts'
import { storeSortedSet } from './range-query.ts'

/** Stores the members of the first sorted set that no other has. */
export const zdiffstore: Command = {
  name: 'zdiffstore',
  since: '6.2.0',
  group: 'sorted_set',
  summary: 'Stores the members of the first sorted set that no other has.',
  complexity: 'O(N)+O(M*log(M)) for N members of all sets, M of the result',
  arity: -4,
  flags: ['write', 'denyoom'],
  keys: [
    { first: 1, last: 1, access: 'OW', touches: ['update'] },
    { first: 3, last: { countAt: 2 }, access: 'RO', touches: ['access'] },
  ],
  syntax: 'destination numkeys key [key ...]',
  run(client, args, reply) {
    const { db } = client
    const combination = combinationOf(client, args, 2, [])
    storeSortedSet(db, args, packed(difference(combination), db.limits), 'zdiffstore', reply)
  },
}
