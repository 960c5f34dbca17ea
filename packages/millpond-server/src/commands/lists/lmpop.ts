import type { Command } from '../command.ts'
import { countedKeys } from '../key-specs.ts'
import { firstOf, manyOf, replyManyPopped } from './ends.ts'

/** Takes elements from an end of the first list that has any. */
export const lmpop: Command = {
  name: 'lmpop',
  since: '7.0.0',
  group: 'list',
  summary: 'Takes elements from an end of the first list that has any.',
  complexity: 'O(N+M) for N keys and M elements',
  arity: -4,
  flags: ['write'],
  keys: countedKeys(1, 'RW', ['access', 'delete']),
  syntax: 'numkeys key [key ...] <LEFT | RIGHT> [COUNT count]',
  run(client, args, reply) {
    const { keys, end, count } = manyOf(args, 1)
    const found = firstOf(client, keys)
    if (found === undefined) reply.nilArray()
    else replyManyPopped(client, found, end, count, reply)
  },
}
