import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { CLIENT_MODE } from '../modes.ts'

/** Is somebody there? */
export const ping: Command = {
  name: 'ping',
  since: '1.0.0',
  group: 'connection',
  summary: "Returns the server's liveliness response.",
  complexity: 'O(1)',
  arity: -1,
  flags: ['fast', 'loading', 'stale'],
  syntax: '[message]',
  run(client, args, reply) {
    if (args.count > 2) throw new ReplyError("wrong number of arguments for 'ping' command")
    if (client.protocol === 2 && (client.modes & CLIENT_MODE.SUBSCRIBED) !== 0) {
      reply.array(2)
      reply.bulk('pong')
      reply.bulk(args.count === 1 ? '' : args.text(1))
    } else if (args.count === 1) reply.simple('PONG')
    else reply.bulk(args.text(1))
  },
}
