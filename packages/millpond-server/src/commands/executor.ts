/** Finds a command, checks what can be checked without it, and runs it. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'
import type { Reply } from '../engine/reply.ts'
import { admit } from './admission.ts'
import { answerError, call } from './call.ts'
import type { Client } from './client.ts'
import type { CommandEntry } from './command-table.ts'
import { CLIENT_MODE } from './modes.ts'
import { redisNames } from './redis-commands.ts'

/** Executes one command for a client. All that goes wrong is an answer. */
export function execute(client: Client, args: Arguments, reply: Reply): void {
  const { service } = client
  const entry = service.commands.find(args)
  if (entry === undefined || !entry.fits(args.count)) {
    reject(client, entry, reply, entry === undefined ? unknown(client, args) : wrongCount(entry))
    return
  }
  client.lastCommand = entry
  const special = (client.modes | service.modes) !== 0
  // Of who may do all but some commands, such as most tokens, one look says whether this is one of them.
  const allowed = special && service.modes === 0 && client.modes === CLIENT_MODE.LIMITED && client.user.opens(entry)
  if (special && !allowed) {
    try {
      if (!admit(client, entry, args, reply)) return
    } catch (error) {
      reject(client, entry, reply, error)
      return
    }
    if ((client.modes & CLIENT_MODE.NO_TOUCH) !== 0 && entry.fullName !== 'touch') {
      service.cache.untouched(() => call(client, entry, args, reply))
      return
    }
  }
  call(client, entry, args, reply)
}

/** A command that was not run: a transaction will not be either. */
function reject(client: Client, entry: CommandEntry | undefined, reply: Reply, error: unknown): void {
  const { statistics } = client.service
  if (entry) statistics.rejected[entry.id]!++
  if (client.transaction) client.transaction.failed = true
  if (entry?.fullName !== 'exec' || !(error instanceof ReplyError)) {
    answerError(client, reply, error)
    return
  }
  client.discard()
  const because = error.code === 'ERR' ? error.message : `${error.code} ${error.message}`
  answerError(client, reply, new ReplyError(`Transaction discarded because of: ${because}`, 'EXECABORT'))
}

const KNOWN: ReadonlySet<string> = new Set(redisNames())

/** Redis shows at most so much of what it does not know. */
const SHOWN = 128

function unknown(client: Client, args: Arguments): ReplyError {
  const name = args.text(0).slice(0, SHOWN)
  if (args.count > 1 && client.service.commands.named(name)?.children !== undefined) {
    return new ReplyError(`unknown subcommand '${args.text(1).slice(0, SHOWN)}'. Try ${name.toUpperCase()} HELP.`)
  }
  if (KNOWN.has(name.toLowerCase())) {
    return new ReplyError(`unknown command '${name}': Redis has it, millpond serve does not`)
  }
  let shown = ''
  for (let at = 1; at < args.count && shown.length < SHOWN; at++) {
    shown += `'${args.text(at).slice(0, SHOWN - shown.length)}' `
  }
  return new ReplyError(`unknown command '${name}', with args beginning with: ${shown}`)
}

export function wrongCount({ fullName }: CommandEntry): ReplyError {
  return new ReplyError(`wrong number of arguments for '${fullName}' command`)
}
