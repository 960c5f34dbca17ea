import { Glob } from '../../engine/glob.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import type { ChannelKind } from './channels.ts'

const common = { group: 'pubsub', flags: ['pubsub', 'loading', 'stale'] } as const

/** What is listened to, and by how many. */
export const pubsub: Command = {
  name: 'pubsub',
  since: '2.8.0',
  group: 'pubsub',
  summary: 'A container for Pub/Sub commands.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('pubsub', '6.2.0', [
    names('channels', 'channel', '2.8.0', 'Returns the active channels.'),
    names('shardchannels', 'shard', '7.0.0', 'Returns the active shard channels.'),
    counts('numsub', 'channel', '2.8.0', 'Returns a count of subscribers to channels.'),
    counts('shardnumsub', 'shard', '7.0.0', 'Returns the count of subscribers of shard channels.'),
    {
      ...common,
      name: 'numpat',
      since: '2.8.0',
      summary: 'Returns a count of unique pattern subscriptions.',
      complexity: 'O(1)',
      arity: 2,
      run({ service }, _args, reply) {
        reply.integer(service.channels.names('pattern').length)
      },
    },
  ]),
  run() {},
}

function names(name: string, kind: ChannelKind, since: string, summary: string): Command {
  return {
    ...common,
    name,
    since,
    summary,
    complexity: 'O(N) for N active channels',
    arity: -2,
    syntax: '[pattern]',
    run({ service }, args, reply) {
      const glob = args.count > 2 ? new Glob(args.text(2)) : undefined
      const found = service.channels.names(kind).filter((channel) => !glob || glob.matches(channel))
      reply.array(found.length)
      for (const channel of found) reply.bulk(channel)
    },
  }
}

function counts(name: string, kind: ChannelKind, since: string, summary: string): Command {
  return {
    ...common,
    name,
    since,
    summary,
    complexity: 'O(N) for the N requested channels',
    arity: -2,
    syntax: kind === 'shard' ? '[shardchannel [shardchannel ...]]' : '[channel [channel ...]]',
    run({ service }, args, reply) {
      reply.array((args.count - 2) * 2)
      for (const channel of args.texts(2)) {
        reply.bulk(channel)
        reply.integer(service.channels.count(kind, channel))
      }
    },
  }
}
