import { noSuchKey } from '../../engine/errors.ts'
import { STREAM } from '../../engine/values/stream.ts'
import { formatId } from '../../engine/values/stream-id.ts'
import type { Command } from '../command.ts'
import { replyProgress } from './full-info.ts'

/** Tells the groups of a stream, and how far each has read. */
export const xinfoGroups: Command = {
  name: 'groups',
  since: '5.0.0',
  group: 'stream',
  summary: 'Tells the groups of a stream, and how far each has read.',
  complexity: 'O(1) for each group',
  arity: 3,
  flags: ['readonly'],
  keys: [{ first: 2, last: 2, access: 'RO', touches: ['access'] }],
  syntax: 'key',
  run({ db }, args, reply) {
    const stream = db.read(args.span(2), STREAM)
    if (stream === undefined) throw noSuchKey()
    reply.array(stream.groupCount)
    for (const group of stream.groups) {
      reply.map(6)
      reply.bulk('name')
      reply.bulk(group.name)
      reply.bulk('consumers')
      reply.integer(group.consumers.length)
      reply.bulk('pending')
      reply.integer(group.pending.size)
      reply.bulk('last-delivered-id')
      reply.bulk(formatId(group.lastId))
      replyProgress(reply, stream, group)
    }
  },
}
