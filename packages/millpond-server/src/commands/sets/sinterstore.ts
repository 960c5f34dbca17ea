import type { Command } from '../command.ts'
import { intersection, setsOf, storeSet } from './operations.ts'

/** Stores the members that all sets have. */
export const sinterstore: Command = {
  name: 'sinterstore',
  since: '1.0.0',
  group: 'set',
  summary: 'Stores the members that all sets have.',
  complexity: 'O(N * M) for N members of the smallest of M sets',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [
    { first: 1, last: 1, access: 'RW', touches: ['update'] },
    { first: 2, last: -1, access: 'RO', touches: ['access'] },
  ],
  syntax: 'destination key [key ...]',
  run({ db }, args, reply) {
    storeSet(db, args, intersection(db, setsOf(db, args, 2)), 'sinterstore', reply)
  },
}
