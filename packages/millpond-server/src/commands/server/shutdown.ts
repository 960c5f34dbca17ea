import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** Ends the server. */
export const shutdown: Command = {
  name: 'shutdown',
  since: '1.0.0',
  group: 'server',
  summary: 'Synchronously saves the database(s) to disk and shuts down the server.',
  complexity: 'O(N) when saving, where N is the number of keys, otherwise O(1)',
  arity: -1,
  flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'],
  syntax: '[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]',
  run({ service }, args) {
    const options = optionsOf(args)
    if (options.has('ABORT')) {
      if (options.size > 1) throw syntaxError()
      throw new ReplyError('No shutdown in progress.')
    }
    if (options.has('SAVE') && options.has('NOSAVE')) throw syntaxError()
    if (service.shutdown === undefined) throw new ReplyError('Errors trying to SHUTDOWN. Check logs.')
    const save = options.has('SAVE') ? 'always' : options.has('NOSAVE') ? 'never' : 'as configured'
    service.persistence.saveAtEnd(save)
    service.shutdown({ save })
  },
}

function optionsOf(args: Arguments): Set<string> {
  const options = new Set<string>()
  for (let at = 1; at < args.count; at++) {
    const option = args.option(at)
    if (!['NOSAVE', 'SAVE', 'NOW', 'FORCE', 'ABORT'].includes(option)) throw syntaxError()
    options.add(option)
  }
  return options
}
