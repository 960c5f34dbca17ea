import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'

/** Removes members from a set. */
export const srem: Command = {
  name: 'srem',
  since: '1.0.0',
  group: 'set',
  summary: 'Removes members from a set.',
  complexity: 'O(1) for each member',
  arity: -3,
  flags: ['write', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['delete'] }],
  syntax: 'key member [member ...]',
  run({ db }, args, reply) {
    const key = args.span(1)
    const set = db.edit(key, SET)
    let removed = 0
    if (set) for (let at = 2; at < args.count; at++) if (set.delete(args.text(at))) removed++
    if (removed > 0) db.changed(key, 'srem', 's')
    reply.integer(removed)
  },
}
