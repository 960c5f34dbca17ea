import type { Command } from '../command.ts'
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
  run({ db }, args, reply) {
    const key = args.span(1)
    const present = db.expiresAtMs(key)
    if (present === -1 || present === Infinity) {
      reply.integer(0)
      return
    }
    db.setExpiry(key, Infinity)
    db.changed(key, 'persist', 'g')
    reply.integer(1)
  },
}
