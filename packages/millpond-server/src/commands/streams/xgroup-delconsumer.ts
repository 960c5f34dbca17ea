import type { Command } from '../command.ts'
import { streamOfGroup } from './group-options.ts'
import { groupIn } from './groups.ts'

/** Removes a consumer from a group, with what is pending for it. */
export const xgroupDelconsumer: Command = {
  name: 'delconsumer',
  since: '5.0.0',
  group: 'stream',
  summary: 'Removes a consumer from a group, with what is pending for it.',
  complexity: 'O(1) and O(N) for N entries that are pending',
  arity: 5,
  flags: ['write'],
  keys: [{ first: 2, last: 2, access: 'RW', touches: ['delete'] }],
  syntax: 'key groupname consumername',
  run(client, args, reply) {
    const key = args.span(2)
    const group = groupIn(streamOfGroup(client, args), key, args.text(3))
    const consumer = group.consumer(args.text(4))
    const pending = consumer?.pending.size ?? 0
    if (consumer) {
      group.deleteConsumer(consumer)
      client.db.changed(key, 'xgroup-delconsumer', 't')
    }
    reply.integer(pending)
  },
}
