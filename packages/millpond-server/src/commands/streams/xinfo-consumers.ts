import { noSuchKey } from '../../engine/errors.ts'
import { STREAM } from '../../engine/values/stream.ts'
import type { Command } from '../command.ts'
import { groupIn } from './groups.ts'

/** Tells who reads for a group. */
export const xinfoConsumers: Command = {
  name: 'consumers',
  since: '5.0.0',
  group: 'stream',
  summary: 'Tells who reads for a group.',
  complexity: 'O(1) for each consumer',
  arity: 4,
  flags: ['readonly'],
  keys: [{ first: 2, last: 2, access: 'RO', touches: ['access'] }],
  syntax: 'key groupname',
  run({ db, service }, args, reply) {
    const key = args.span(2)
    const stream = db.read(key, STREAM)
    if (stream === undefined) throw noSuchKey()
    const { consumers } = groupIn(stream, key, args.text(3))
    reply.array(consumers.length)
    for (const { name, seenAtMs, pending } of consumers) {
      reply.map(3)
      reply.bulk('name')
      reply.bulk(name)
      reply.bulk('pending')
      reply.integer(pending.size)
      reply.bulk('idle')
      reply.integer(Math.max(0, service.time.nowMs - seenAtMs))
    }
  },
}
