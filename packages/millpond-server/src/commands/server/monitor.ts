import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { CLIENT_MODE } from '../modes.ts'

/** Shows all commands as they go by. */
export const monitor: Command = {
  name: 'monitor',
  since: '1.0.0',
  group: 'server',
  summary: 'Listens for all requests received by the server in real-time.',
  arity: 1,
  flags: ['admin', 'noscript', 'loading', 'stale'],
  run(client, _args, reply) {
    if ((client.modes & CLIENT_MODE.NEVER_BLOCKS) !== 0)
      throw new ReplyError("MONITOR isn't allowed for DENY BLOCKING client")
    client.service.monitors.add(client)
    reply.ok()
  },
}
