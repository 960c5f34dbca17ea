import type { Command } from '../command.ts'
import { combinationOf, eachCommon } from './operations.ts'

/** Tells how many members all sets have in common, up to a limit. */
export const zintercard: Command = {
  name: 'zintercard',
  since: '7.0.0',
  group: 'sorted_set',
  summary: 'Tells how many members all sets have in common, up to a limit.',
  complexity: 'O(N*K) for N members of the smallest of K sets',
  arity: -3,
  flags: ['readonly'],
  keys: [{ first: 2, last: { countAt: 1 }, access: 'RO', touches: ['access'] }],
  syntax: 'numkeys key [key ...] [LIMIT limit]',
  run(client, args, reply) {
    const combination = combinationOf(client, args, 1, ['limit'])
    let found = 0
    eachCommon(combination, () => ++found !== combination.limit)
    reply.integer(found)
  },
}
