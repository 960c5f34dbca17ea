import { LIST } from '../../engine/values/list.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { rangeOf } from './range.ts'

/** A part of a list. */
export const lrange: Command = {
  name: 'lrange',
  since: '1.0.0',
  group: 'list',
  summary: 'Returns the elements of a list from one index to another; below 0 counts from the end.',
  complexity: 'O(S+N) for N elements, and S between the first and the nearer end',
  arity: 4,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key start stop',
  run({ db }, args, reply) {
    const first = args.integer(2)
    const last = args.integer(3)
    const list = db.read(args.span(1), LIST)
    const { from, to } = rangeOf(first, last, list?.size ?? 0)
    const texts = list === undefined ? [] : list.slice(from, to)
    reply.array(texts.length)
    for (const text of texts) reply.bulk(text)
  },
}
