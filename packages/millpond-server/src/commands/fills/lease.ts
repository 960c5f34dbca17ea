import { syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { removeKey } from '../key-changes.ts'
import { oneKey } from '../key-specs.ts'
import { put, textUnder } from './put.ts'
import { endOf } from './record.ts'

const common = {
  since: '0.1.0',
  group: 'string',
  complexity: 'O(1)',
} as const

/** Takes or renews the permission to load something, for a whole fleet. */
export const fillLease: Command = {
  ...common,
  name: 'lease',
  summary: 'Takes or renews a lease for some milliseconds, unless another holder has it.',
  arity: 5,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['access', 'update'], 2),
  syntax: 'key holder milliseconds',
  run(client, args, reply) {
    const key = args.span(2)
    const holder = args.text(3)
    const lifeMs = args.integer(4)
    if (lifeMs <= 0) throw syntaxError()
    const present = textUnder(client, key)
    const isFree = present === undefined || present === holder
    if (isFree) put(client, key, Buffer.from(holder, 'latin1'), endOf(client.service.time.nowMs, lifeMs))
    reply.integer(isFree ? 1 : 0)
  },
}

/** Gives it back. */
export const fillRelease: Command = {
  ...common,
  name: 'release',
  summary: 'Gives a lease back, if this holder has it.',
  arity: 4,
  flags: ['write', 'fast'],
  keys: oneKey('RW', ['access', 'delete'], 2),
  syntax: 'key holder',
  run(client, args, reply) {
    const key = args.span(2)
    reply.integer(textUnder(client, key) === args.text(3) && removeKey(client, key) ? 1 : 0)
  },
}
