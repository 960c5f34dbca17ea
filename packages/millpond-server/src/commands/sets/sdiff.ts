import type { Command } from '../command.ts'
import { difference, replySet, setsOf } from './operations.ts'

/** Tells the members of the first set that no other set has. */
export const sdiff: Command = {
  name: 'sdiff',
  since: '1.0.0',
  group: 'set',
  summary: 'Tells the members of the first set that no other set has.',
  complexity: 'O(N) for N members of all sets',
  arity: -2,
  flags: ['readonly'],
  keys: [{ first: 1, last: -1, access: 'RO', touches: ['access'] }],
  syntax: 'key [key ...]',
  run({ db }, args, reply) {
    replySet(reply, difference(db, setsOf(db, args, 1)))
  },
}
