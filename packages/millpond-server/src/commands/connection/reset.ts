import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { CLIENT_MODE } from '../modes.ts'

/** Makes the connection as it was when it was new. */
export const reset: Command = {
  name: 'reset',
  since: '6.2.0',
  group: 'connection',
  summary: 'Resets the connection.',
  complexity: 'O(1)',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  run(client, _args, reply) {
    renew(client)
    reply.simple('RESET')
  },
}

/** Makes a client as it was when it was new, in the cache of clients that name none. */
export function renew(client: Client): void {
  client.discard()
  client.enter(client.service.host?.home ?? client.service)
  const { service } = client
  service.monitors.leave(client)
  service.channels.leave(client)
  if (client.tracking) service.tracking.stop(client)
  client.db = service.databases[0]!
  client.name = ''
  client.noEvict = false
  client.setMode(CLIENT_MODE.NO_TOUCH, false)
  client.replies = 'on'
  client.speak(2)
  service.accessControl.welcome(client)
}
