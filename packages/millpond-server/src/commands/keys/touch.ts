import type { Command } from '../command.ts'
import { keysTo } from '../key-specs.ts'

/** Counts as use of keys. */
export const touch: Command = {
  name: 'touch',
  since: '3.2.1',
  group: 'generic',
  summary: 'Counts as a use of keys, and tells how many are there.',
  complexity: 'O(N) for N keys',
  arity: -2,
  flags: ['readonly', 'fast'],
  keys: keysTo(-1, 'RO', []),
  syntax: 'key [key ...]',
  run({ db }, args, reply) {
    let count = 0
    for (let at = 1; at < args.count; at++) if (db.touch(args.span(at))) count++
    reply.integer(count)
  },
}
