import type { Command } from '../command.ts'
import { replyRange } from './range-query.ts'

/** Tells the members within a range of ranks that count from the highest score. */
export const zrevrange: Command = {
  name: 'zrevrange',
  since: '1.2.0',
  group: 'sorted_set',
  summary: 'Tells the members within a range of ranks that count from the highest score.',
  complexity: 'O(log(N)+M) for M members told',
  arity: -4,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key start stop [WITHSCORES]',
  run(client, args, reply) {
    replyRange(client, args, { kind: 'rank', reversed: true }, reply)
  },
}
