import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { increase, increaseFar } from './increase.ts'

const INT64_MIN = -(2n ** 63n)

const SHARED = {
  since: '1.0.0',
  group: 'string',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['access', 'update']),
} as const

/** Adds one to a number. */
export const incr: Command = {
  ...SHARED,
  name: 'incr',
  summary: 'Adds one to the number under a key, which is 0 where there is none.',
  arity: 2,
  syntax: 'key',
  run({ db }, args, reply) {
    increase(db, args.span(1), 1, reply)
  },
}

/** Takes one from a number. */
export const decr: Command = {
  ...SHARED,
  name: 'decr',
  summary: 'Takes one from the number under a key, which is 0 where there is none.',
  arity: 2,
  syntax: 'key',
  run({ db }, args, reply) {
    increase(db, args.span(1), -1, reply)
  },
}

/** Adds to a number. */
export const incrby: Command = {
  ...SHARED,
  name: 'incrby',
  summary: 'Adds to the number under a key, which is 0 where there is none.',
  arity: 3,
  syntax: 'key increment',
  run({ db }, args, reply) {
    add(db, args, 1, reply)
  },
}

/** Takes from a number. */
export const decrby: Command = {
  ...SHARED,
  name: 'decrby',
  summary: 'Takes from the number under a key, which is 0 where there is none.',
  arity: 3,
  syntax: 'key decrement',
  run({ db }, args, reply) {
    add(db, args, -1, reply)
  },
}

function add(db: Keyspace, args: Arguments, sign: 1 | -1, reply: Reply): void {
  const amount = args.integer(2)
  if (Number.isSafeInteger(amount)) {
    increase(db, args.span(1), amount * sign, reply)
    return
  }
  const exact = args.int64(2)
  if (sign < 0 && exact === INT64_MIN) throw new ReplyError('decrement would overflow')
  increaseFar(db, args.span(1), sign < 0 ? -exact : exact, reply)
}
