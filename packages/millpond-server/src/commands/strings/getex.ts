import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { expireKey, persistKey } from '../key-changes.ts'
import { oneKey } from '../key-specs.ts'
import { expiryOf, isExpiryOption } from './expiry-option.ts'

/** The value of a string, whose expiry is changed. */
export const getex: Command = {
  name: 'getex',
  since: '6.2.0',
  group: 'string',
  summary: 'Returns the string under a key, and lets it expire at another moment.',
  complexity: 'O(1)',
  arity: -2,
  flags: ['write', 'fast'],
  keys: oneKey('RW', ['access', 'update']),
  syntax: 'key [EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-milliseconds | PERSIST]',
  run(client, args, reply) {
    const { option, expiryAt } = optionsOf(args)
    const value = client.db.readString(args.span(1))
    if (value === undefined) {
      reply.nil()
      return
    }
    const moment = expiryAt > 0 ? expiryOf(client.service.time.nowMs, option, args, expiryAt, 'getex') : undefined
    reply.bytes(value.bytes, value.start, value.end)
    if (moment !== undefined) expireKey(client, args.span(1), moment)
    else if (option === 'PERSIST' && value.expiresAtMs !== Infinity) persistKey(client, args.span(1))
  },
}

/** The option, and where its time stands. It may be given again, and then the last one counts. */
function optionsOf(args: Arguments): { option: string; expiryAt: number } {
  let option = ''
  let expiryAt = 0
  for (let at = 2; at < args.count; at++) {
    const given = args.option(at)
    if (option !== '' && option !== given) throw syntaxError()
    option = given
    if (isExpiryOption(given) && at + 1 < args.count) expiryAt = ++at
    else if (given !== 'PERSIST') throw syntaxError()
  }
  return { option, expiryAt }
}
