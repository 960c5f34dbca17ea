/** The command line of Millpond: help, version, the commands, and what is said to a command that does not exist. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addDoctorCommands } from './doctor/commands.ts'
import { addMeshCommands } from './mesh/commands.ts'
import { addServeCommand } from './serve/command.ts'

/** The exit code for arguments that cannot be understood, as shells and most tools have it. */
const EXIT_USAGE = 2
/** What was asked for could not be done. */
const EXIT_FAILED = 1

/** Runs the command line on `args`, without the program's own name, and returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  let exitCode = 0
  const at = args[0] === 'serve' ? args.indexOf('--redis-conf') : -1
  const command = program(
    (code) => {
      exitCode = code
    },
    at < 0 ? undefined : args.slice(at + 1),
  )
  try {
    await command.parseAsync(at < 0 ? args : args.slice(0, at), { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
    return isUsage(error) ? EXIT_USAGE : EXIT_FAILED
  }
}

/** An option, variable or field of a file that cannot be used: `OptionError` of the library, which names it. */
function isUsage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OPTION'
}

function program(exit: (code: number) => void, redis: readonly string[] | undefined): Command {
  const root = new Command('millpond')
    .description('Millpond: the cache between an application and its database.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .usage('[options] [command]')
    .argument('[command]')
    .allowExcessArguments()
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nThe service speaks the Redis protocol; the memcached protocol and HTTP come later.' +
        '\nThe library is the npm package `millpond`.',
    )
    .exitOverride()
    .action((name: string | undefined, _options: object, self: Command) => {
      if (name === undefined) self.outputHelp()
      else self.error(`error: there is no command '${name}' in millpond ${version()}; see millpond --help`)
    })
  addServeCommand(root, redis)
  addMeshCommands(root, exit)
  addDoctorCommands(root, exit)
  return root
}

/** The version in package.json, two folders up in `src` and in `dist`. */
function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
