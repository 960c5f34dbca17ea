/** HELP of containers such as CONFIG, made of the data of their commands. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'
import type { Command } from './command.ts'

/** The commands of a container, with HELP. */
export function withHelp(container: string, since: string, commands: readonly Command[]): readonly Command[] {
  const all: Command[] = [...commands]
  const upper = container.toUpperCase()
  all.push({
    name: 'help',
    since,
    group: commands[0]!.group,
    summary: 'Returns helpful text about the different subcommands.',
    complexity: 'O(1)',
    arity: 2,
    flags: ['loading', 'stale'],
    run(_client, _args, reply) {
      const lines = all
        .toSorted((one, other) => (one.name < other.name ? -1 : 1))
        .flatMap(({ name, syntax, summary }) => [
          [name.toUpperCase(), syntax].filter(Boolean).join(' '),
          `    ${summary}`,
        ])
      reply.array(lines.length + 1)
      reply.simple(`${upper} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`)
      for (const line of lines) reply.simple(line)
    },
  })
  return all
}

/** A command of a container was given with words that it does not know. */
export function misused(args: Arguments): ReplyError {
  const [container, word] = [args.option(0), args.text(1).slice(0, 128)]
  return new ReplyError(`unknown subcommand or wrong number of arguments for '${word}'. Try ${container} HELP.`)
}
