import { wrongType } from '../../engine/errors.ts'
import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'

/** Moves a member from one set to another. */
export const smove: Command = {
  name: 'smove',
  since: '1.0.0',
  group: 'set',
  summary: 'Moves a member from one set to another.',
  complexity: 'O(1)',
  arity: 4,
  flags: ['write', 'fast'],
  keys: [
    { first: 1, last: 1, access: 'RW', touches: ['access', 'delete'] },
    { first: 2, last: 2, access: 'RW', touches: ['insert'] },
  ],
  syntax: 'source destination member',
  run({ db }, args, reply) {
    const from = args.span(1)
    const to = args.span(2)
    const member = args.text(3)
    const source = db.edit(from, SET)
    if (source === undefined) {
      reply.integer(0)
      return
    }
    const type = db.typeOf(to)
    if (type !== undefined && type !== 'set') throw wrongType()
    const present = source.has(member)
    if (!present || source === db.edit(to, SET)) {
      reply.integer(present ? 1 : 0)
      return
    }
    const added = db.editOrNew(to, SET).add(member)
    source.delete(member)
    db.changed(from, 'srem', 's')
    if (added) db.changed(to, 'sadd', 's')
    reply.integer(1)
  },
}
