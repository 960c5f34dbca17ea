import type { Command } from '../command.ts'

/** How many keys the selected database has. */
export const dbsize: Command = {
  name: 'dbsize',
  since: '1.0.0',
  group: 'server',
  summary: 'Returns the number of keys in the database.',
  complexity: 'O(1)',
  arity: 1,
  flags: ['readonly', 'fast'],
  categories: ['keyspace'],
  run({ db }, _args, reply) {
    reply.integer(db.size)
  },
}
