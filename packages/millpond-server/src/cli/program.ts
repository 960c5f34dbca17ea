/** The command line of Millpond: help, version, and what is said to a command that does not exist. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'

/** The exit code for arguments that cannot be understood, as shells and most tools have it. */
const EXIT_USAGE = 2

/** Runs the command line on `args`, without the program's own name, and returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : EXIT_USAGE
  }
}

function program(): Command {
  return new Command('millpond')
    .description('Millpond: the cache between an application and its database.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .argument('[command]', 'none in this version')
    .allowExcessArguments()
    .addHelpText(
      'after',
      '\nThis version has no commands: the service, with the Redis protocol, the memcached protocol and HTTP, comes later.' +
        '\nThe library is the npm package `millpond`.',
    )
    .exitOverride()
    .action((name: string | undefined, _options: object, self: Command) => {
      if (name === undefined) self.outputHelp()
      else self.error(`error: there is no command '${name}' in millpond ${version()}; see millpond --help`)
    })
}

/** The version in package.json, two folders up in `src` and in `dist`. */
function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
