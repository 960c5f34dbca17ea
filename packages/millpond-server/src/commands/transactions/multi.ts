import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { CLIENT_MODE } from '../modes.ts'
import { Transaction } from './transaction.ts'

/** From here on commands are queued. */
export const multi: Command = {
  name: 'multi',
  since: '1.2.0',
  group: 'transactions',
  summary: 'Starts a transaction.',
  complexity: 'O(1)',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  categories: ['transaction'],
  run(client, _args, reply) {
    if (client.transaction) throw new ReplyError('MULTI calls can not be nested')
    client.transaction = new Transaction()
    client.setMode(CLIENT_MODE.QUEUEING, true)
    reply.ok()
  },
}
