import { noSuchKey, ReplyError } from '../../engine/errors.ts'
import { LIST } from '../../engine/values/list.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** Replaces an element. */
export const lset: Command = {
  name: 'lset',
  since: '1.0.0',
  group: 'list',
  summary: 'Replaces the element at an index of a list; below 0 counts from the end.',
  complexity: 'O(N) for N elements between there and the nearer end, 128 in a step',
  arity: 4,
  flags: ['write', 'denyoom'],
  keys: oneKey('RW', ['update']),
  syntax: 'key index element',
  run({ db }, args, reply) {
    const key = args.span(1)
    const list = db.edit(key, LIST)
    if (list === undefined) throw noSuchKey()
    if (!list.set(args.integer(2), args.text(3))) throw new ReplyError('index out of range')
    db.changed(key, 'lset', 'l')
    reply.ok()
  },
}
