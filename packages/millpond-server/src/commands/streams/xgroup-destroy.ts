import type { Command } from '../command.ts'
import { streamOfGroup } from './group-options.ts'

/** Removes a consumer group, with all that is pending. */
export const xgroupDestroy: Command = {
  name: 'destroy',
  since: '5.0.0',
  group: 'stream',
  summary: 'Removes a consumer group, with all that is pending.',
  complexity: 'O(N) for N entries that are pending',
  arity: 4,
  flags: ['write'],
  keys: [{ first: 2, last: 2, access: 'RW', touches: ['delete'] }],
  syntax: 'key groupname',
  run(client, args, reply) {
    const removed = streamOfGroup(client, args).deleteGroup(args.text(3))
    if (removed) client.db.changed(args.span(2), 'xgroup-destroy', 't')
    reply.integer(removed ? 1 : 0)
  },
}
