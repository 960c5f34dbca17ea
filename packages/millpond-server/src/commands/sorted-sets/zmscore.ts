import { SORTED_SET } from '../../engine/values/sorted-set.ts'
import type { Command } from '../command.ts'

/** Tells the scores of several members. */
export const zmscore: Command = {
  name: 'zmscore',
  since: '6.2.0',
  group: 'sorted_set',
  summary: 'Tells the scores of several members.',
  complexity: 'O(N) for N members asked for',
  arity: -3,
  flags: ['readonly', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key member [member ...]',
  run({ db }, args, reply) {
    const set = db.read(args.span(1), SORTED_SET)
    reply.array(args.count - 2)
    for (let at = 2; at < args.count; at++) {
      const score = set?.score(args.text(at))
      if (score === undefined) reply.nil()
      else reply.double(score)
    }
  },
}
