import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { misused, withHelp } from '../help.ts'

const common = { since: '2.2.12', group: 'server', flags: ['admin', 'loading', 'stale'] } as const
const SHOWN = 10

const get: Command = {
  ...common,
  name: 'get',
  summary: "Returns the slow log's entries.",
  complexity: 'O(N) where N is the number of entries returned',
  arity: -2,
  syntax: '[count]',
  run({ service }, args, reply) {
    if (args.count > 3) throw misused(args)
    const failure = (): ReplyError => new ReplyError('count should be greater than or equal to -1')
    const given = args.count === 3 ? args.integer(2, failure) : SHOWN
    if (given < -1) throw failure()
    const { commands } = service.slowLog
    const shown = given === -1 ? commands : commands.slice(0, given)
    reply.array(shown.length)
    for (const { id, atSeconds, microseconds, words, address, clientName } of shown) {
      reply.array(6)
      reply.integer(id)
      reply.integer(atSeconds)
      reply.integer(microseconds)
      reply.array(words.length)
      for (const word of words) reply.bulk(word)
      reply.bulk(address)
      reply.bulk(clientName)
    }
  },
}

const len: Command = {
  ...common,
  name: 'len',
  summary: 'Returns the number of entries in the slow log.',
  complexity: 'O(1)',
  arity: 2,
  run({ service }, _args, reply) {
    reply.integer(service.slowLog.commands.length)
  },
}

const reset: Command = {
  ...common,
  name: 'reset',
  summary: 'Clears all entries from the slow log.',
  complexity: 'O(N) where N is the number of entries in the slowlog',
  arity: 2,
  run({ service }, _args, reply) {
    service.slowLog.clear()
    reply.ok()
  },
}

/** Commands that took long. */
export const slowlog: Command = {
  name: 'slowlog',
  since: '2.2.12',
  group: 'server',
  summary: 'A container for slow log commands.',
  complexity: 'Depends on subcommand.',
  arity: -2,
  flags: [],
  subcommands: withHelp('slowlog', '6.2.0', [get, len, reset]),
  run() {},
}
