import { ReplyError, syntaxError } from '../../engine/errors.ts'
import { looksLikeToken } from '../../security/token.ts'
import type { Command } from '../command.ts'
import { answerRefusal, signIn } from './sign-in.ts'

/** Says who the client is. */
export const auth: Command = {
  name: 'auth',
  since: '1.0.0',
  group: 'connection',
  summary: 'Authenticates the connection.',
  complexity: 'O(N) for N passwords of the user',
  arity: -2,
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  syntax: '[username | cache] <password | token>',
  run(client, args, reply) {
    if (args.count > 3) throw syntaxError()
    client.hide(1, 2)
    // A token says itself which cache it is for.
    const alone = args.count === 2 && looksLikeToken(args.text(1))
    if (args.count === 2 && !alone && client.service.accessControl.defaultUser.noPassword) {
      throw new ReplyError(
        'AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
      )
    }
    const name = args.count === 3 ? args.text(1) : alone ? '' : 'default'
    if (signIn(client, name, args.text(args.count - 1))) reply.ok()
  },
  timedOut: answerRefusal,
}
