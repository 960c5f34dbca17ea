import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** Lets the next EXEC do nothing if one of these keys changes before. */
export const watch: Command = {
  name: 'watch',
  since: '2.2.0',
  group: 'transactions',
  summary: 'Monitors changes to keys to determine the execution of a transaction.',
  complexity: 'O(1) for every key',
  arity: -2,
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  categories: ['transaction'],
  keys: [{ first: 1, last: -1, access: 'RO' }],
  syntax: 'key [key ...]',
  run(client, args, reply) {
    if (client.transaction) throw new ReplyError('WATCH inside MULTI is not allowed')
    const { watchedKeys } = client.service
    for (let at = 1; at < args.count && !client.watchBroken; at++) watchedKeys.watch(client, args.span(at))
    reply.ok()
  },
}
