import { LIST } from '../../engine/values/list.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { rangeOf } from './range.ts'

/** Keeps a part of a list. */
export const ltrim: Command = {
  name: 'ltrim',
  since: '1.0.0',
  group: 'list',
  summary: 'Removes all elements of a list but those from one index to another.',
  complexity: 'O(N) for N elements that are removed',
  arity: 4,
  flags: ['write'],
  keys: oneKey('RW', ['delete']),
  syntax: 'key start stop',
  run({ db }, args, reply) {
    const first = args.integer(2)
    const last = args.integer(3)
    const key = args.span(1)
    const list = db.edit(key, LIST)
    if (list !== undefined) {
      const { from, to } = rangeOf(first, last, list.size)
      list.removeRange(to, list.size - to)
      list.removeRange(0, from)
      db.changed(key, 'ltrim', 'l')
    }
    reply.ok()
  },
}
