import { SORTED_SET } from '../../engine/values/sorted-set.ts'
import type { Command } from '../command.ts'

/** Removes members from a sorted set. */
export const zrem: Command = {
  name: 'zrem',
  since: '1.2.0',
  group: 'sorted_set',
  summary: 'Removes members from a sorted set.',
  complexity: 'O(log(N)) for each member',
  arity: -3,
  flags: ['write', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['delete'] }],
  syntax: 'key member [member ...]',
  run({ db }, args, reply) {
    const key = args.span(1)
    const set = db.edit(key, SORTED_SET)
    let removed = 0
    if (set) for (let at = 2; at < args.count; at++) if (set.delete(args.text(at))) removed++
    if (removed > 0) db.changed(key, 'zrem', 'z')
    reply.integer(removed)
  },
}
