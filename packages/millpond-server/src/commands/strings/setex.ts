import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { expiryOf } from './expiry-option.ts'
import { putExpiring } from './put.ts'

function commandFor(name: 'setex' | 'psetex', since: string, unit: 'seconds' | 'milliseconds'): Command {
  const option = unit === 'seconds' ? 'EX' : 'PX'
  return {
    name,
    since,
    group: 'string',
    summary: `Puts a string under a key for some ${unit}. SET with ${option} does the same.`,
    complexity: 'O(1)',
    arity: 4,
    flags: ['write', 'denyoom'],
    keys: oneKey('OW', ['update']),
    syntax: `key ${unit} value`,
    run(client, args, reply) {
      putExpiring(client, args, 3, expiryOf(client.service.time.nowMs, option, args, 2, name))
      reply.ok()
    },
  }
}

/** Puts a string under a key for some time. */
export const setex: Command = commandFor('setex', '2.0.0', 'seconds')
export const psetex: Command = commandFor('psetex', '2.6.0', 'milliseconds')
