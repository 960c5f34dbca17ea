import type { Command } from '../command.ts'
import { replySet, setsOf, union } from './operations.ts'

/** Tells the members that any of the sets has. */
export const sunion: Command = {
  name: 'sunion',
  since: '1.0.0',
  group: 'set',
  summary: 'Tells the members that any of the sets has.',
  complexity: 'O(N) for N members of all sets',
  arity: -2,
  flags: ['readonly'],
  keys: [{ first: 1, last: -1, access: 'RO', touches: ['access'] }],
  syntax: 'key [key ...]',
  run({ db }, args, reply) {
    replySet(reply, union(db, setsOf(db, args, 1)))
  },
}
