import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { info } from './info.ts'
import { publish } from './publish.ts'
import { read } from './read.ts'
import { subscribe, unsubscribe } from './subscribe.ts'

/** Channels whose messages have numbers, so that who was away goes on where it stopped. */
const topic: Command = {
  name: 'topic',
  since: '0.1.0',
  group: 'pubsub',
  summary: 'A container for topics: channels whose messages are numbered and kept for a while.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('topic', '0.1.0', [info, publish, read, subscribe, unsubscribe]),
  run() {},
}

export const topicCommands: readonly Command[] = [topic]
