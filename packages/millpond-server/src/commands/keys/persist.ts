import type { Command } from '../command.ts'
import { persistKey } from '../key-changes.ts'
import { oneKey } from '../key-specs.ts'

/** Lets a key live for ever. */
export const persist: Command = {
  name: 'persist',
  since: '2.2.0',
  group: 'generic',
  summary: 'Lets a key live for ever, and tells whether it would not have.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['write', 'fast'],
  keys: oneKey('RW', ['update']),
  syntax: 'key',
  run(client, args, reply) {
    const key = args.span(1)
    const present = client.db.expiresAtMs(key)
    if (present === -1 || present === Infinity) {
      reply.integer(0)
      return
    }
    persistKey(client, key)
    reply.integer(1)
  },
}
