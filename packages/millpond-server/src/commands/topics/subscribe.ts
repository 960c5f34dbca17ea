import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { placeOf, pushGap, pushMessage } from './words.ts'

const common = {
  since: '0.1.0',
  group: 'pubsub',
  complexity: 'O(N) for N messages that were missed',
  flags: ['pubsub', 'noscript', 'no_multi', 'loading', 'stale'],
} as const

/** Listens to a topic: what was missed follows the answer, then what is published. */
export const subscribe: Command = {
  ...common,
  name: 'subscribe',
  summary: 'Sends messages of a topic with their numbers, from now or from a number on. In RESP3 only.',
  arity: -3,
  syntax: 'topic [RESUME page number]',
  run(client, args, reply) {
    const resumes = args.count === 6 && args.is(3, 'resume')
    if (args.count > 3 && !resumes) throw syntaxError()
    const { page, number } = resumes ? placeOf(args, 4) : { page: 0, number: 0 }
    if (client.protocol === 2) throw new ReplyError('TOPIC SUBSCRIBE is for RESP3: say HELLO 3, or poll by TOPIC READ')
    const { channels, time } = client.service
    const topic = channels.topics.open(args.text(2), time.nowMs)
    const { messages, gap } = topic.from(number, page)
    channels.listen(client, 'topic', topic.name)
    reply.map(2)
    reply.bulk('page')
    reply.integer(topic.page)
    reply.bulk('next')
    reply.integer(gap?.next ?? messages[0]?.number ?? topic.next)
    if (gap) client.push((to) => pushGap(to, topic, gap.last, gap.next))
    for (const { number: one, message } of messages) client.push((to) => pushMessage(to, topic, one, message))
  },
}

/** Listens no more. */
export const unsubscribe: Command = {
  ...common,
  name: 'unsubscribe',
  summary: 'Sends no more messages of a topic, or of all of them; returns of how many.',
  complexity: 'O(N) for N topics',
  arity: -2,
  syntax: '[topic]',
  run(client, args, reply) {
    if (args.count > 3) throw syntaxError()
    const names = args.count === 3 ? [args.text(2)] : [...(client.subscriptions?.topic ?? [])]
    reply.integer(names.filter((name) => client.service.channels.unlisten(client, 'topic', name)).length)
  },
}
