import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { millisecondsOf } from '../timeouts.ts'
import { placeOf, writeNews } from './words.ts'

/** What was published from a number on: polled, or waited for. */
export const read: Command = {
  name: 'read',
  since: '0.1.0',
  group: 'pubsub',
  summary: 'Returns messages of a topic from a number on, and whether some are missing before; waits for the next one.',
  complexity: 'O(N) for N messages',
  arity: -3,
  flags: ['pubsub', 'loading', 'stale', 'blocking'],
  syntax: 'topic [FROM page number] [COUNT count] [BLOCK milliseconds]',
  run(client, args, reply) {
    const { page, number, count, blockMs } = optionsOf(args)
    const { channels, time } = client.service
    const topic = channels.topics.open(args.text(2), time.nowMs)
    const news = topic.from(number, page, count)
    if (news.messages.length > 0 || news.gap !== undefined || blockMs === undefined) writeNews(reply, topic, news)
    else {
      channels.topics.wait(client, topic)
      client.block([], blockMs)
    }
  },
  timedOut(client, reply) {
    const topic = client.service.channels.topics.leave(client)!
    writeNews(reply, topic, topic.from(0, 0))
  },
}

interface ReadOptions {
  page: number
  number: number
  count: number | undefined
  blockMs: number | undefined
}

function optionsOf(args: Arguments): ReadOptions {
  const options: ReadOptions = { page: 0, number: 0, count: undefined, blockMs: undefined }
  for (let at = 3; at < args.count; ) {
    if (args.is(at, 'from') && at + 2 < args.count) {
      Object.assign(options, placeOf(args, at + 1))
      at += 3
    } else if (args.is(at, 'count') && at + 1 < args.count) {
      options.count = Math.max(1, args.integer(at + 1))
      at += 2
    } else if (args.is(at, 'block') && at + 1 < args.count) {
      options.blockMs = millisecondsOf(args, at + 1)
      at += 2
    } else throw syntaxError()
  }
  return options
}
