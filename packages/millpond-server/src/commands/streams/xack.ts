import type { Command } from '../command.ts'
import { findGroup } from './groups.ts'
import { idsOf } from './ids.ts'

/** Says that entries are done with: they are no longer pending for their consumers. */
export const xack: Command = {
  name: 'xack',
  since: '5.0.0',
  group: 'stream',
  summary: 'Says that entries are done with: they are no longer pending for their consumers.',
  complexity: 'O(log(N)) for each entry',
  arity: -4,
  flags: ['write', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['update'] }],
  syntax: 'key group ID [ID ...]',
  run(client, args, reply) {
    const key = args.span(1)
    const found = findGroup(client, key, args.text(2))
    const ids = found ? idsOf(args, 3) : []
    const acknowledged = ids.filter((id) => found!.group.acknowledge(id)).length
    if (acknowledged > 0) client.db.noted(key)
    reply.integer(acknowledged)
  },
}
