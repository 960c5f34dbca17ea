import { ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { answerError, call } from '../call.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { CLIENT_MODE } from '../modes.ts'
import type { QueuedCommand } from './transaction.ts'

/** Runs what was queued, with nothing in between, if no watched key has changed. */
export const exec: Command = {
  name: 'exec',
  since: '1.2.0',
  group: 'transactions',
  summary: 'Executes all commands in a transaction.',
  complexity: 'Depends on commands in the transaction',
  arity: 1,
  flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
  categories: ['transaction'],
  run(client, _args, reply) {
    const { transaction, service } = client
    if (!transaction) throw new ReplyError('EXEC without MULTI')
    const holds = service.watchedKeys.holds(client)
    client.discard()
    if (transaction.failed) {
      throw new ReplyError('Transaction discarded because of previous errors.', 'EXECABORT')
    }
    if (!holds) {
      reply.nilArray()
      return
    }
    reply.array(transaction.commands.length)
    const waits = (client.modes & CLIENT_MODE.NEVER_BLOCKS) === 0
    client.setMode(CLIENT_MODE.NEVER_BLOCKS, true)
    for (const queued of transaction.commands) runQueued(client, queued, reply)
    client.setMode(CLIENT_MODE.NEVER_BLOCKS, !waits)
  },
}

const REASONS = {
  command: 'no permission to execute the command or subcommand',
  key: 'no permission to touch the specified keys',
  channel: 'no permission to access one of the channels used as arguments',
}

/** What a user may do can have changed since the command was queued. */
function runQueued(client: Client, { entry, args }: QueuedCommand, reply: Reply): void {
  const limited = (client.modes & CLIENT_MODE.LIMITED) !== 0
  const denial = limited ? client.service.accessControl.denial(client, entry, args, 'multi') : undefined
  if (denial === undefined) call(client, entry, args, reply)
  else {
    answerError(
      client,
      reply,
      new ReplyError(
        `ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: ${REASONS[denial.reason]}`,
        'NOPERM',
      ),
    )
  }
}
