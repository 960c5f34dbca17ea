import { SORTED_SET, SortedSet } from '../../engine/values/sorted-set.ts'
import type { Command } from '../command.ts'
import { rangeQueryOf, ranksOf, storeSortedSet } from './range-query.ts'

/** Stores the members within a range of ranks, scores or members. */
export const zrangestore: Command = {
  name: 'zrangestore',
  since: '6.2.0',
  group: 'sorted_set',
  summary: 'Stores the members within a range of ranks, scores or members.',
  complexity: 'O(log(N)+M) for M members stored',
  arity: -5,
  flags: ['write', 'denyoom'],
  keys: [
    { first: 1, last: 1, access: 'OW', touches: ['update'] },
    { first: 2, last: 2, access: 'RO', touches: ['access'] },
  ],
  syntax: 'dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]',
  run({ db }, args, reply) {
    const query = rangeQueryOf(args, 2, { stores: true })
    const source = db.read(args.span(2), SORTED_SET)
    const result = new SortedSet(db.limits)
    if (source) {
      const { from, to } = ranksOf(source, query)
      source.visit(from, to, query.reversed, (member, score) => result.insert(member, score))
    }
    storeSortedSet(db, args, result, 'zrangestore', reply)
  },
}
