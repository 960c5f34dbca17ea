import { LIST } from '../../engine/values/list.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** An element by its index. */
export const lindex: Command = {
  name: 'lindex',
  since: '1.0.0',
  group: 'list',
  summary: 'Returns the element at an index of a list; below 0 counts from the end.',
  complexity: 'O(N) for N elements between there and the nearer end, 128 in a step',
  arity: 3,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key index',
  run({ db }, args, reply) {
    const list = db.read(args.span(1), LIST)
    const text = list?.at(args.integer(2))
    if (text === undefined) reply.nil()
    else reply.bulk(text)
  },
}
