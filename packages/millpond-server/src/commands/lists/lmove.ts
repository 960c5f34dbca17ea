import type { Command } from '../command.ts'
import { endAt } from './ends.ts'
import { MOVE_KEYS, move } from './move.ts'

/** Moves an element from one list to another. */
export const lmove: Command = {
  name: 'lmove',
  since: '6.2.0',
  group: 'list',
  summary: 'Moves an element from an end of a list to an end of another one, and returns it.',
  complexity: 'O(1)',
  arity: 5,
  flags: ['write', 'denyoom'],
  keys: MOVE_KEYS,
  syntax: 'source destination <LEFT | RIGHT> <LEFT | RIGHT>',
  run(client, args, reply) {
    const from = endAt(args, 3)
    const to = endAt(args, 4)
    if (!move(client, args, from, to, reply)) reply.nil()
  },
}

/** LMOVE from the right to the left. */
export const rpoplpush: Command = {
  name: 'rpoplpush',
  since: '1.2.0',
  group: 'list',
  summary: 'Moves the last element of a list to the front of another one: the old form of LMOVE.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['write', 'denyoom'],
  keys: MOVE_KEYS,
  syntax: 'source destination',
  run(client, args, reply) {
    if (!move(client, args, 'right', 'left', reply)) reply.nil()
  },
}
