/** Making a client who it says that it is. A wrong secret is answered later, where there were many from its address. */
import { ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { WrongSecretError } from '../../security/guesses.ts'
import { answerError } from '../call.ts'
import type { Client } from '../client.ts'

const refused = new WeakMap<Client, ReplyError>()

/** Returns whether it is done. If not, the answer waits: the command is over without one. @throws ReplyError why it is nobody */
export function signIn(client: Client, name: string, secret: string): boolean {
  try {
    if (client.service.authenticate(client, name, secret)) return true
    throw wrongPassword()
  } catch (error) {
    if (!(error instanceof WrongSecretError) || error.delayMs === 0) throw error
    refused.set(client, error)
    client.block([], error.delayMs, ['AUTH'])
    return false
  }
}

/** The answer that has waited: `timedOut` of commands that call `signIn`. */
export function answerRefusal(client: Client, reply: Reply): void {
  answerError(client, reply, refused.get(client)!)
}

export function wrongPassword(): ReplyError {
  return new ReplyError('invalid username-password pair or user is disabled.', 'WRONGPASS')
}
