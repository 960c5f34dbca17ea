import type { Command } from '../command.ts'
import { firstOf, manyOf, replyManyPopped } from './popping.ts'

/** Removes members from an end of the first sorted set that has any, and tells them. */
export const zmpop: Command = {
  name: 'zmpop',
  since: '7.0.0',
  group: 'sorted_set',
  summary: 'Removes members from an end of the first sorted set that has any, and tells them.',
  complexity: 'O(K) + O(M*log(N)) for K keys and M members removed',
  arity: -4,
  flags: ['write'],
  keys: [{ first: 2, last: { countAt: 1 }, access: 'RW', touches: ['access', 'delete'] }],
  syntax: 'numkeys key [key ...] <MIN | MAX> [COUNT count]',
  run(client, args, reply) {
    const { keys, end, count } = manyOf(args, 1)
    const found = firstOf(client, keys)
    if (found === undefined) reply.nilArray()
    else replyManyPopped(client, found, end, count, reply)
  },
}
