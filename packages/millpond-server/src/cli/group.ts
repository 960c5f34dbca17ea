/** Commands that only hold others: `millpond cache`, `millpond token`. */
import type { Command } from 'commander'

/** Adds one: alone it prints its help, and a name that it does not know is told. */
export function addGroup(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .usage('<command> [options]')
    .argument('[command]')
    .allowExcessArguments()
    .action((given: string | undefined, _options: object, self: Command) => {
      if (given === undefined) self.outputHelp()
      else self.error(`error: there is no command '${name} ${given}'; see millpond ${name} --help`)
    })
}
