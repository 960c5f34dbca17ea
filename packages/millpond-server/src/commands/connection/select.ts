import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** Goes to another database. */
export const select: Command = {
  name: 'select',
  since: '1.0.0',
  group: 'connection',
  summary: 'Changes the selected database.',
  complexity: 'O(1)',
  arity: 2,
  flags: ['loading', 'stale', 'fast'],
  syntax: 'index',
  run(client, args, reply) {
    const database = client.service.databases[args.integer(1)]
    if (database === undefined) throw new ReplyError('DB index is out of range')
    client.db = database
    reply.ok()
  },
}
