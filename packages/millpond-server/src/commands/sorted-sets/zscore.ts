import { SORTED_SET } from '../../engine/values/sorted-set.ts'
import type { Command } from '../command.ts'

/** Tells the score of a member. */
export const zscore: Command = {
  name: 'zscore',
  since: '1.2.0',
  group: 'sorted_set',
  summary: 'Tells the score of a member.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key member',
  run({ db }, args, reply) {
    const score = db.read(args.span(1), SORTED_SET)?.score(args.text(2))
    if (score === undefined) reply.nil()
    else reply.double(score)
  },
}
