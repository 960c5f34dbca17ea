import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** Forgets what was queued. */
export const discard: Command = {
  name: 'discard',
  since: '2.0.0',
  group: 'transactions',
  summary: 'Discards a transaction.',
  complexity: 'O(N), when N is the number of queued commands',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  categories: ['transaction'],
  run(client, _args, reply) {
    if (!client.transaction) throw new ReplyError('DISCARD without MULTI')
    client.discard()
    reply.ok()
  },
}
