import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** How a topic stands. */
export const info: Command = {
  name: 'info',
  since: '0.1.0',
  group: 'pubsub',
  summary: 'Returns the page of a topic, the numbers that are kept, and how many listen.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['pubsub', 'loading', 'stale', 'fast'],
  syntax: 'topic',
  run({ service: { channels } }, args, reply) {
    const topic = channels.topics.named(args.text(2))
    if (topic === undefined) throw new ReplyError('no such topic: nobody has published or listened to it as one')
    const fields = {
      page: topic.page,
      oldest: topic.oldest,
      next: topic.next,
      bytes: topic.bytes,
      listeners: channels.count('topic', topic.name),
    }
    reply.map(Object.keys(fields).length)
    for (const [name, value] of Object.entries(fields)) {
      reply.bulk(name)
      reply.integer(value)
    }
  },
}
