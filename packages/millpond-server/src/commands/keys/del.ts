import type { Command } from '../command.ts'

/** Removes keys. */
export const del: Command = {
  name: 'del',
  since: '1.0.0',
  group: 'generic',
  summary: 'Deletes one or more keys.',
  complexity: 'O(N) for N keys, and O(M) for each that holds M elements',
  arity: -2,
  flags: ['write'],
  keys: [{ first: 1, last: -1, access: 'RM', touches: ['delete'] }],
  syntax: 'key [key ...]',
  run({ db }, args, reply) {
    let deleted = 0
    for (let at = 1; at < args.count; at++) {
      const key = args.span(at)
      if (!db.delete(key)) continue
      db.changed(key, 'del', 'g')
      deleted++
    }
    reply.integer(deleted)
  },
}
