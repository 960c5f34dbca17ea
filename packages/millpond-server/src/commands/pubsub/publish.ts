import type { Command } from '../command.ts'

/** Sends a message to all who listen to a channel. */
export const publish: Command = {
  name: 'publish',
  since: '2.0.0',
  group: 'pubsub',
  summary: 'Posts a message to a channel.',
  complexity: 'O(N+M) for N clients that listen to the channel and M patterns',
  arity: 3,
  flags: ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'],
  syntax: 'channel message',
  run({ service }, args, reply) {
    reply.integer(service.channels.publish('channel', args.text(1), args.text(2)))
  },
}

/** As PUBLISH, to a sharded channel. */
export const spublish: Command = {
  ...publish,
  name: 'spublish',
  since: '7.0.0',
  summary: 'Posts a message to a shard channel.',
  complexity: 'O(N) for N clients that listen to the channel',
  keys: [{ first: 1, last: 1, access: 'RO', notKey: true }],
  syntax: 'shardchannel message',
  run({ service }, args, reply) {
    reply.integer(service.channels.publish('shard', args.text(1), args.text(2)))
  },
}
