import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { withHelp } from '../help.ts'
import { redisNames } from '../redis-commands.ts'

const PREFIX = 'cluster|'

/** One server is no cluster. Clients that ask before they connect as to one are told as Redis does, whatever they ask. */
export const cluster: Command = {
  name: 'cluster',
  since: '3.0.0',
  group: 'cluster',
  summary:
    'A container for Redis Cluster commands, which this server answers with an error: it is not one of a cluster.',
  arity: -2,
  flags: [],
  subcommands: withHelp(
    'cluster',
    '5.0.0',
    redisNames()
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => refused(name.slice(PREFIX.length))),
  ),
  refuses: 'no cluster',
  run() {},
}

function refused(name: string): Command {
  return {
    name,
    since: '3.0.0',
    group: 'cluster',
    summary: 'Refused: this server is not one of a cluster.',
    complexity: 'O(1)',
    arity: -2,
    flags: ['admin', 'stale', 'noscript'],
    refuses: 'no cluster',
    run() {
      throw new ReplyError('This instance has cluster support disabled')
    },
  }
}
