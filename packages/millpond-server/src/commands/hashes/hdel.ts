import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { editHash } from './live-hash.ts'

/** Removes fields. */
export const hdel: Command = {
  name: 'hdel',
  since: '2.0.0',
  group: 'hash',
  summary: 'Removes fields of a hash, and returns how many were there. A hash without fields is gone.',
  complexity: 'O(N) for N fields',
  arity: -3,
  flags: ['write', 'fast'],
  keys: oneKey('RW', ['delete']),
  syntax: 'key field [field ...]',
  run(client, args, reply) {
    const hash = editHash(client, args.span(1))
    let removed = 0
    if (hash !== undefined) for (let at = 2; at < args.count; at++) if (hash.delete(args.text(at))) removed++
    if (removed > 0) client.db.changed(args.span(1), 'hdel', 'h')
    reply.integer(removed)
  },
}
