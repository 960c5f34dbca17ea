import { syntaxError } from '../../engine/errors.ts'
import { LIST, type List } from '../../engine/values/list.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** Puts an element beside another one. */
export const linsert: Command = {
  name: 'linsert',
  since: '2.2.0',
  group: 'list',
  summary: 'Puts an element before or behind the first one that equals another; returns the new length, or -1.',
  complexity: 'O(N) for N elements in front of it',
  arity: 5,
  flags: ['write', 'denyoom'],
  keys: oneKey('RW', ['insert']),
  syntax: 'key <BEFORE | AFTER> pivot element',
  run({ db }, args, reply) {
    const behind = args.is(2, 'after')
    if (!behind && !args.is(2, 'before')) throw syntaxError()
    const key = args.span(1)
    const list = db.edit(key, LIST)
    if (list === undefined) {
      reply.integer(0)
      return
    }
    const index = indexOf(list, args.text(3))
    if (index < 0) {
      reply.integer(-1)
      return
    }
    list.insert(behind ? index + 1 : index, args.text(4))
    const { size } = list
    db.changed(key, 'linsert', 'l')
    reply.integer(size)
  },
}

function indexOf(list: List, wanted: string): number {
  let index = 0
  for (const text of list.forward()) {
    if (text === wanted) return index
    index++
  }
  return -1
}
