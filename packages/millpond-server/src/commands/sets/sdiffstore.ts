import type { Command } from '../command.ts'
import { difference, setsOf, storeSet } from './operations.ts'

/** Stores the members of the first set that no other set has. */
export const sdiffstore: Command = {
  name: 'sdiffstore',
  since: '1.0.0',
  group: 'set',
  summary: 'Stores the members of the first set that no other set has.',
  complexity: 'O(N) for N members of all sets',
  arity: -3,
  flags: ['write', 'denyoom'],
  keys: [
    { first: 1, last: 1, access: 'OW', touches: ['update'] },
    { first: 2, last: -1, access: 'RO', touches: ['access'] },
  ],
  syntax: 'destination key [key ...]',
  run({ db }, args, reply) {
    storeSet(db, args, difference(db, setsOf(db, args, 2)), 'sdiffstore', reply)
  },
}
