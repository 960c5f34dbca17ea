import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** One server is no cluster. Clients that ask before they connect as to one are told as Redis does. */
export const cluster: Command = {
  name: 'cluster',
  since: '3.0.0',
  group: 'server',
  summary:
    'A container for Redis Cluster commands, which this server answers with an error: it is not one of a cluster.',
  arity: -2,
  flags: ['admin', 'stale', 'noscript'],
  refuses: 'no cluster',
  run() {
    throw new ReplyError('This instance has cluster support disabled')
  },
}
