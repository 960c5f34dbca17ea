import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { cursorOf, replyScan, scanOptionsOf } from '../scans.ts'
import { readHash } from './live-hash.ts'

/** Fields and values in steps. */
export const hscan: Command = {
  name: 'hscan',
  since: '2.8.0',
  group: 'hash',
  summary: 'Tells the fields of a hash and their values in steps, while it may change.',
  complexity: 'O(1) for each step, O(N) for all N fields',
  arity: -3,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key cursor [MATCH pattern] [COUNT count] [NOVALUES]',
  run(client, args, reply) {
    const cursor = cursorOf(args, 2)
    const hash = readHash(client, args.span(1))
    const found: string[] = []
    if (hash === undefined) {
      replyScan(reply, 0, found)
      return
    }
    const { count, pattern, noValues } = scanOptionsOf(args, 3, 'noValues')
    const next = hash.scan(cursor, count, (field, value) => {
      if (pattern !== undefined && !pattern.matches(field)) return
      found.push(field)
      if (!noValues) found.push(value)
    })
    replyScan(reply, next, found)
  },
}
