import type { Command } from '../command.ts'
import { keysTo } from '../key-specs.ts'
import { secondsOf } from '../timeouts.ts'
import { type End, firstOf, replyFirstPopped } from './ends.ts'

function commandFor(name: string, end: End, summary: string): Command {
  return {
    name,
    since: '2.0.0',
    group: 'list',
    summary,
    complexity: 'O(N) for N keys',
    arity: -3,
    flags: ['write', 'noscript', 'blocking'],
    keys: keysTo(-2, 'RW', ['access', 'delete']),
    syntax: 'key [key ...] timeout',
    waitsFor: 'list',
    run(client, args, reply) {
      const last = args.count - 1
      const timeoutMs = secondsOf(args, last)
      const keys = args.spans(1, last)
      const found = firstOf(client, keys)
      if (found === undefined) client.block(keys, timeoutMs)
      else replyFirstPopped(client, found, end, reply)
    },
  }
}

/** Takes the first element of the first list that has any; waits for one. */
export const blpop: Command = commandFor(
  'blpop',
  'left',
  'Takes the first element of the first list that has any; waits until there is one.',
)
/** Takes the last element of the first list that has any; waits for one. */
export const brpop: Command = commandFor(
  'brpop',
  'right',
  'Takes the last element of the first list that has any; waits until there is one.',
)
