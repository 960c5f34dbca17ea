import type { Command } from '../command.ts'
import type { ChannelKind } from './channels.ts'

/** SUBSCRIBE and PSUBSCRIBE, UNSUBSCRIBE and PUNSUBSCRIBE, and those of sharded channels. */
export const subscribeCommands: readonly Command[] = [
  beginning('subscribe', 'channel', '2.0.0', 'Listens for messages published to channels.'),
  beginning(
    'psubscribe',
    'pattern',
    '2.0.0',
    'Listens for messages published to channels that match one or more patterns.',
  ),
  beginning('ssubscribe', 'shard', '7.0.0', 'Listens for messages published to shard channels.'),
  ending('unsubscribe', 'channel', '2.0.0', 'Stops listening to messages posted to channels.'),
  ending(
    'punsubscribe',
    'pattern',
    '2.0.0',
    'Stops listening to messages published to channels that match one or more patterns.',
  ),
  ending('sunsubscribe', 'shard', '7.0.0', 'Stops listening to messages posted to shard channels.'),
]

function beginning(name: string, kind: ChannelKind, since: string, summary: string): Command {
  return {
    name,
    since,
    group: 'pubsub',
    summary,
    complexity: 'O(N) for N channels',
    arity: -2,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    ...(kind === 'shard' && { keys: [{ first: 1, last: -1, access: 'RO', notKey: true }] }),
    syntax: `${word(kind)} [${word(kind)} ...]`,
    run(client, args, reply) {
      for (const one of args.texts(1)) client.service.channels.subscribe(client, kind, one, reply)
    },
  }
}

function ending(name: string, kind: ChannelKind, since: string, summary: string): Command {
  return {
    name,
    since,
    group: 'pubsub',
    summary,
    complexity: 'O(N) for N channels',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    ...(kind === 'shard' && { keys: [{ first: 1, last: -1, access: 'RO', notKey: true }] }),
    syntax: `[${word(kind)} [${word(kind)} ...]]`,
    run(client, args, reply) {
      const { channels } = client.service
      if (args.count === 1) channels.unsubscribe(client, kind, undefined, reply)
      for (const one of args.texts(1)) channels.unsubscribe(client, kind, one, reply)
    },
  }
}

function word(kind: ChannelKind): string {
  return kind === 'shard' ? 'shardchannel' : kind
}
