import type { Command } from '../command.ts'

/** Ends the connection, once everything is answered. */
export const quit: Command = {
  name: 'quit',
  since: '1.0.0',
  group: 'connection',
  summary: 'Closes the connection.',
  complexity: 'O(1)',
  arity: -1,
  flags: ['allow_busy', 'noscript', 'loading', 'stale', 'fast', 'no_auth'],
  run(client, _args, reply) {
    reply.ok()
    client.close('after the answer')
  },
}
