/** FUNCTION: libraries of functions that stay on the server. */
import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** FUNCTION FLUSH and its like. */
export const functionContainer: Command = {
  name: 'function',
  since: '7.0.0',
  group: 'scripting',
  summary: 'A container for function commands.',
  arity: -2,
  flags: ['noscript'],
  run(_client, args, reply) {
    if (!args.is(1, 'flush')) throw new ReplyError(`unknown subcommand '${args.text(1)}'. Try FUNCTION HELP.`)
    reply.ok()
  },
}
