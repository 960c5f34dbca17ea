import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'

/** Adds members to a set; makes the set if there is none. */
export const sadd: Command = {
  name: 'sadd',
  since: '1.0.0',
  group: 'set',
  summary: 'Adds members to a set; makes the set if there is none.',
  complexity: 'O(1) for each member',
  arity: -3,
  flags: ['write', 'denyoom', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['insert'] }],
  syntax: 'key member [member ...]',
  run({ db }, args, reply) {
    const key = args.span(1)
    const set = db.editOrNew(key, SET)
    let added = 0
    for (let at = 2; at < args.count; at++) if (set.addWord(args, at)) added++
    if (added > 0) db.changed(key, 'sadd', 's')
    reply.integer(added)
  },
}
