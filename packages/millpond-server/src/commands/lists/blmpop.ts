import type { Command } from '../command.ts'
import { countedKeys } from '../key-specs.ts'
import { secondsOf } from '../timeouts.ts'
import { firstOf, manyOf, replyManyPopped } from './ends.ts'

/** Takes elements from an end of the first list that has any; waits for one. */
export const blmpop: Command = {
  name: 'blmpop',
  since: '7.0.0',
  group: 'list',
  summary: 'Takes elements from an end of the first list that has any; waits until there is one.',
  complexity: 'O(N+M) for N keys and M elements',
  arity: -5,
  flags: ['write', 'blocking'],
  keys: countedKeys(2, 'RW', ['access', 'delete']),
  syntax: 'timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]',
  waitsFor: 'list',
  run(client, args, reply) {
    const { keys, end, count } = manyOf(args, 2)
    const timeoutMs = secondsOf(args, 1)
    const found = firstOf(client, keys)
    if (found === undefined) client.block(keys, timeoutMs)
    else replyManyPopped(client, found, end, count, reply)
  },
}
