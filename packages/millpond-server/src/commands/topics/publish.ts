import type { Command } from '../command.ts'

/** As PUBLISH, to a channel that is a topic from now on. */
export const publish: Command = {
  name: 'publish',
  since: '0.1.0',
  group: 'pubsub',
  summary: 'Posts a message to a topic; returns its page and number, and how many heard it.',
  complexity: 'O(N+M) for N clients that listen to the topic and M patterns',
  arity: 4,
  flags: ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'],
  syntax: 'topic message',
  run({ service: { channels, time } }, args, reply) {
    const topic = channels.topics.open(args.text(2), time.nowMs)
    const number = topic.next
    const receivers = channels.publish('channel', topic.name, args.text(3))
    reply.map(3)
    reply.bulk('page')
    reply.integer(topic.page)
    reply.bulk('number')
    reply.integer(number)
    reply.bulk('receivers')
    reply.integer(receivers)
  },
}
