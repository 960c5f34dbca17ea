import type { Command } from '../command.ts'
import { secondsOf } from '../timeouts.ts'
import { firstOf, replyFirstPopped } from './popping.ts'

/** Removes the member with the lowest score from the first sorted set that has any; waits until there is one. */
export const bzpopmin: Command = {
  name: 'bzpopmin',
  since: '5.0.0',
  group: 'sorted_set',
  summary: 'Removes the member with the lowest score from the first sorted set that has any; waits until there is one.',
  complexity: 'O(log(N))',
  arity: -3,
  flags: ['write', 'noscript', 'fast', 'blocking'],
  keys: [{ first: 1, last: -2, access: 'RW', touches: ['access', 'delete'] }],
  syntax: 'key [key ...] timeout',
  waitsFor: 'zset',
  run(client, args, reply) {
    const last = args.count - 1
    const timeoutMs = secondsOf(args, last)
    const keys = args.spans(1, last)
    const found = firstOf(client, keys)
    if (found === undefined) client.block(keys, timeoutMs)
    else replyFirstPopped(client, found, 'min', reply)
  },
}
