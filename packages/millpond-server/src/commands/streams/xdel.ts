import { STREAM } from '../../engine/values/stream.ts'
import type { Command } from '../command.ts'
import { idsOf } from './ids.ts'

/** Removes entries by id. */
export const xdel: Command = {
  name: 'xdel',
  since: '5.0.0',
  group: 'stream',
  summary: 'Removes entries by id.',
  complexity: 'O(log(N)) for each entry',
  arity: -3,
  flags: ['write', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['delete'] }],
  syntax: 'key ID [ID ...]',
  run({ db }, args, reply) {
    const key = args.span(1)
    const stream = db.edit(key, STREAM)
    const ids = stream ? idsOf(args, 2) : []
    const removed = ids.filter((id) => stream!.delete(id)).length
    if (removed > 0) db.changed(key, 'xdel', 't')
    reply.integer(removed)
  },
}
