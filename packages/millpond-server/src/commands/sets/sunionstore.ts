import type { Command } from '../command.ts'
import { setsOf, storeSet, union } from './operations.ts'

/** Stores the members that any of the sets has. */
export const sunionstore: Command = {
  name: 'sunionstore',
  since: '1.0.0',
  group: 'set',
  summary: 'Stores the members that any of the sets has.',
  complexity: 'O(N) for N members of all sets',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [
    { first: 1, last: 1, access: 'OW', touches: ['update'] },
    { first: 2, last: -1, access: 'RO', touches: ['access'] },
  ],
  syntax: 'destination key [key ...]',
  run({ db }, args, reply) {
    storeSet(db, args, union(db, setsOf(db, args, 2)), 'sunionstore', reply)
  },
}
