import type { Command } from '../command.ts'
import { groupOptionsOf, streamOfGroup } from './group-options.ts'
import { groupIn } from './groups.ts'
import { anyIdOf } from './ids.ts'

/** Sets the id up to which a group has read. */
export const xgroupSetid: Command = {
  name: 'setid',
  since: '5.0.0',
  group: 'stream',
  summary: 'Sets the id up to which a group has read.',
  complexity: 'O(1)',
  arity: -5,
  flags: ['write'],
  keys: [{ first: 2, last: 2, access: 'RW', touches: ['update'] }],
  syntax: 'key groupname <ID | $> [ENTRIESREAD entries_read]',
  run(client, args, reply) {
    const key = args.span(2)
    const { entriesRead } = groupOptionsOf(args, false)
    const stream = streamOfGroup(client, args)
    const group = groupIn(stream, key, args.text(3))
    group.lastId = args.text(4) === '$' ? stream.lastId : anyIdOf(args, 4)
    group.entriesRead = entriesRead
    client.db.changed(key, 'xgroup-setid', 't')
    reply.ok()
  },
}
