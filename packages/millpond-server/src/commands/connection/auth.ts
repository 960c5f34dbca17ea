import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'

/** Says who the client is. */
export const auth: Command = {
  name: 'auth',
  since: '1.0.0',
  group: 'connection',
  summary: 'Authenticates the connection.',
  complexity: 'O(N) for N passwords of the user',
  arity: -2,
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  syntax: '[username] password',
  run(client, args, reply) {
    if (args.count > 3) throw syntaxError()
    client.hide(1, 2)
    const { service } = client
    if (args.count === 2 && service.accessControl.defaultUser.noPassword) {
      throw new ReplyError(
        'AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
      )
    }
    const [name, password] = args.count === 2 ? ['default', args.text(1)] : [args.text(1), args.text(2)]
    if (!service.authenticate(client, name, password)) throw wrongPassword()
    reply.ok()
  },
}

export function wrongPassword(): ReplyError {
  return new ReplyError('invalid username-password pair or user is disabled.', 'WRONGPASS')
}
