import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'
import { cursorOf, replyScan, scanOptionsOf } from '../scans.ts'

/** Tells the members of a set in steps, while it may change. */
export const sscan: Command = {
  name: 'sscan',
  since: '2.8.0',
  group: 'set',
  summary: 'Tells the members of a set in steps, while it may change.',
  complexity: 'O(1) for each step, O(N) for all N members',
  arity: -3,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key cursor [MATCH pattern] [COUNT count]',
  run({ db }, args, reply) {
    const cursor = cursorOf(args, 2)
    const set = db.read(args.span(1), SET)
    const found: string[] = []
    if (set === undefined) {
      replyScan(reply, 0, found)
      return
    }
    const { count, pattern } = scanOptionsOf(args, 3)
    const next = set.scan(cursor, count, (member) => {
      if (pattern === undefined || pattern.matches(member)) found.push(member)
    })
    replyScan(reply, next, found)
  },
}
