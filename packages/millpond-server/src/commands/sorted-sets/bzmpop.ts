import type { Command } from '../command.ts'
import { secondsOf } from '../timeouts.ts'
import { firstOf, manyOf, replyManyPopped } from './popping.ts'

/** Removes members from an end of the first sorted set that has any; waits until there is one. */
export const bzmpop: Command = {
  name: 'bzmpop',
  since: '7.0.0',
  group: 'sorted_set',
  summary: 'Removes members from an end of the first sorted set that has any; waits until there is one.',
  complexity: 'O(K) + O(M*log(N)) for K keys and M members removed',
  arity: -5,
  flags: ['write', 'blocking'],
  keys: [{ first: 3, last: { countAt: 2 }, access: 'RW', touches: ['access', 'delete'] }],
  syntax: 'timeout numkeys key [key ...] <MIN | MAX> [COUNT count]',
  waitsFor: 'zset',
  run(client, args, reply) {
    const { keys, end, count } = manyOf(args, 2)
    const timeoutMs = secondsOf(args, 1)
    const found = firstOf(client, keys)
    if (found === undefined) client.block(keys, timeoutMs)
    else replyManyPopped(client, found, end, count, reply)
  },
}
