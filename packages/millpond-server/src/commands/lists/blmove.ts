import type { Arguments } from '../../engine/arguments.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { secondsOf } from '../timeouts.ts'
import { type End, endAt } from './ends.ts'
import { MOVE_KEYS, move, moveTimedOut } from './move.ts'

const SHARED = {
  group: 'list',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'noscript', 'blocking'],
  keys: MOVE_KEYS,
  waitsFor: 'list',
  timedOut: moveTimedOut,
} as const

/** Moves an element from one list to another; waits for one. */
export const blmove: Command = {
  ...SHARED,
  name: 'blmove',
  since: '6.2.0',
  summary: 'Moves an element from an end of a list to an end of another one; waits until there is one.',
  arity: 6,
  syntax: 'source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout',
  run(client, args, reply) {
    moveOrWait(client, args, endAt(args, 3), endAt(args, 4), secondsOf(args, 5), reply)
  },
}

/** BLMOVE from the right to the left. */
export const brpoplpush: Command = {
  ...SHARED,
  name: 'brpoplpush',
  since: '2.2.0',
  summary: 'Moves the last element of a list to the front of another one; waits until there is one.',
  arity: 4,
  syntax: 'source destination timeout',
  run(client, args, reply) {
    moveOrWait(client, args, 'right', 'left', secondsOf(args, 3), reply)
  },
}

function moveOrWait(client: Client, args: Arguments, from: End, to: End, timeoutMs: number, reply: Reply): void {
  if (!move(client, args, from, to, reply)) client.block([args.span(1)], timeoutMs)
  else client.logAs('LMOVE', args.span(1).copy(), args.span(2).copy(), from, to)
}
