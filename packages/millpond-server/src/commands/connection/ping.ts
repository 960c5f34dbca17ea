import type { Command } from '../command.ts'

/** Is somebody there? */
export const ping: Command = {
  name: 'ping',
  since: '1.0.0',
  group: 'connection',
  summary: "Returns the server's liveliness response.",
  complexity: 'O(1)',
  arity: -1,
  flags: ['fast', 'loading', 'stale', 'allow_busy'],
  syntax: '[message]',
  run(_client, args, reply) {
    if (args.count === 1) reply.simple('PONG')
    else reply.bulk(args.text(1))
  },
}
