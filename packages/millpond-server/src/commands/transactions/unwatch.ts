import type { Command } from '../command.ts'

/** Lets go of all watched keys. */
export const unwatch: Command = {
  name: 'unwatch',
  since: '2.2.0',
  group: 'transactions',
  summary: 'Forgets about watched keys of a transaction.',
  complexity: 'O(1)',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  categories: ['transaction'],
  run(client, _args, reply) {
    client.service.watchedKeys.unwatch(client)
    reply.ok()
  },
}
