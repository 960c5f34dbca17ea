import { LIST } from '../../engine/values/list.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** Removes elements that equal one. */
export const lrem: Command = {
  name: 'lrem',
  since: '1.0.0',
  group: 'list',
  summary: 'Removes elements that equal one: so many from the front, below 0 from the end, or with 0 all.',
  complexity: 'O(N) for N elements',
  arity: 4,
  flags: ['write'],
  keys: oneKey('RW', ['delete']),
  syntax: 'key count element',
  run({ db }, args, reply) {
    const count = args.integer(2)
    const key = args.span(1)
    const list = db.edit(key, LIST)
    const removed = list?.removeEqual(args.text(3), Math.abs(count) || Infinity, count < 0) ?? 0
    if (removed > 0) db.changed(key, 'lrem', 'l')
    reply.integer(removed)
  },
}
