import type { Command } from '../command.ts'

/** Says the same. */
export const echo: Command = {
  name: 'echo',
  since: '1.0.0',
  group: 'connection',
  summary: 'Returns the given string.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['loading', 'stale', 'fast'],
  syntax: 'message',
  run(_client, args, reply) {
    reply.bytes(args.bytes, args.start(1), args.end(1))
  },
}
