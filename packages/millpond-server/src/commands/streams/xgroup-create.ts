import { ReplyError } from '../../engine/errors.ts'
import { STREAM } from '../../engine/values/stream.ts'
import { MIN_ID } from '../../engine/values/stream-id.ts'
import type { Command } from '../command.ts'
import { groupOptionsOf, streamOfGroup } from './group-options.ts'
import { idOf } from './ids.ts'

/** Makes a consumer group. */
export const xgroupCreate: Command = {
  name: 'create',
  since: '5.0.0',
  group: 'stream',
  summary: 'Makes a consumer group.',
  complexity: 'O(1)',
  arity: -5,
  flags: ['write', 'denyoom'],
  keys: [{ first: 2, last: 2, access: 'RW', touches: ['insert'] }],
  syntax: 'key groupname <ID | $> [MKSTREAM] [ENTRIESREAD entries_read]',
  run(client, args, reply) {
    const { db } = client
    const key = args.span(2)
    const name = args.text(3)
    const { makesStream, entriesRead } = groupOptionsOf(args, true)
    const present = makesStream ? db.edit(key, STREAM) : streamOfGroup(client, args)
    const lastId = args.text(4) === '$' ? (present?.lastId ?? MIN_ID) : idOf(args, 4)
    if (present?.group(name)) throw new ReplyError('Consumer Group name already exists', 'BUSYGROUP')
    const stream = present ?? db.editOrNew(key, STREAM)
    stream.createGroup(name, lastId, entriesRead)
    db.changed(key, 'xgroup-create', 't')
    reply.ok()
  },
}
