import type { Command } from '../command.ts'
import { keysTo } from '../key-specs.ts'

/** How many keys are there. */
export const exists: Command = {
  name: 'exists',
  since: '1.0.0',
  group: 'generic',
  summary: 'Tells how many keys are there; one that is named twice counts twice.',
  complexity: 'O(N) for N keys',
  arity: -2,
  flags: ['readonly', 'fast'],
  keys: keysTo(-1, 'RO', []),
  syntax: 'key [key ...]',
  run({ db }, args, reply) {
    let count = 0
    for (let at = 1; at < args.count; at++) if (db.typeOf(args.span(at)) !== undefined) count++
    db.hits += count
    db.misses += args.count - 1 - count
    reply.integer(count)
  },
}
