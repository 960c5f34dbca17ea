import type { Command } from '../command.ts'
import { streamOfGroup } from './group-options.ts'
import { consumerOf, groupIn } from './groups.ts'

/** Makes a consumer in a group. */
export const xgroupCreateconsumer: Command = {
  name: 'createconsumer',
  since: '6.2.0',
  group: 'stream',
  summary: 'Makes a consumer in a group.',
  complexity: 'O(1)',
  arity: 5,
  flags: ['write', 'denyoom'],
  keys: [{ first: 2, last: 2, access: 'RW', touches: ['insert'] }],
  syntax: 'key groupname consumername',
  run(client, args, reply) {
    const key = args.span(2)
    const group = groupIn(streamOfGroup(client, args), key, args.text(3))
    const isNew = group.consumer(args.text(4)) === undefined
    if (isNew) consumerOf(client, key, group, args.text(4))
    reply.integer(isNew ? 1 : 0)
  },
}
