/** HELP of containers such as CONFIG, made of the data of their commands. */
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
