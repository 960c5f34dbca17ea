import type { Command } from '../command.ts'
import { intersection, replySet, setsOf } from './operations.ts'

/** Tells the members that all sets have. */
export const sinter: Command = {
  name: 'sinter',
  since: '1.0.0',
  group: 'set',
  summary: 'Tells the members that all sets have.',
  complexity: 'O(N * M) for N members of the smallest of M sets',
  arity: -2,
  flags: ['readonly'],
  keys: [{ first: 1, last: -1, access: 'RO', touches: ['access'] }],
  syntax: 'key [key ...]',
  run({ db }, args, reply) {
    replySet(reply, intersection(db, setsOf(db, args, 1)))
  },
}
