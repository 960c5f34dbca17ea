import type { Command } from '../command.ts'
import { replyPopped } from './popping.ts'

/** Removes the members with the lowest scores, and tells them. */
export const zpopmin: Command = {
  name: 'zpopmin',
  since: '5.0.0',
  group: 'sorted_set',
  summary: 'Removes the members with the lowest scores, and tells them.',
  complexity: 'O(log(N)*M) for M members removed',
  arity: -2,
  flags: ['write', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['access', 'delete'] }],
  syntax: 'key [count]',
  run(client, args, reply) {
    replyPopped(client, args, 'min', reply)
  },
}
