/** Finds a command, checks what can be checked without it, and runs it. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'
import type { Reply } from '../engine/reply.ts'
import type { Client } from './client.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './table.ts'

const BY_NAME: ReadonlyMap<string, Command> = new Map(COMMANDS.map((command) => [command.name, command]))

/** Executes one command for a client. All that goes wrong is an answer. */
export function execute(client: Client, args: Arguments, reply: Reply): void {
  const command = BY_NAME.get(args.text(0).toLowerCase())
  try {
    check(command, args).run(client, args, reply)
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error
    reply.error(`${error.code} ${error.message}`)
  }
}

function check(command: Command | undefined, args: Arguments): Command {
  if (command === undefined) {
    const rest = args.texts(1).map((text) => `'${text}' `)
    throw new ReplyError(`unknown command '${args.text(0)}', with args beginning with: ${rest.join('')}`)
  }
  const { arity, name } = command
  if (arity > 0 ? args.count !== arity : args.count < -arity) {
    throw new ReplyError(`wrong number of arguments for '${name}' command`)
  }
  return command
}
