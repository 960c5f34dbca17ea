/** The command line of Millpond: help, version, the commands, and what is said to a command that does not exist. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addBenchCommand } from './bench/commands.ts'
import { addCacheCommands } from './caches/commands.ts'
import { addCompletionCommand } from './completion/commands.ts'
import { addDataCommands } from './data/commands.ts'
import { addDoctorCommands } from './doctor/commands.ts'
import { adviceOf, EXIT, exitCodeOf } from './exit-codes.ts'
import { addInitCommand } from './init/command.ts'
import { addMeshCommands } from './mesh/commands.ts'
import { addObserveCommands } from './observe/commands.ts'
import { addProfileCommands } from './profile/commands.ts'
import { addServeCommand } from './serve/command.ts'
import { addTokenCommands } from './tokens/commands.ts'
import { addTransferCommands } from './transfers/commands.ts'

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
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.USAGE
    process.stderr.write(`error: ${adviceOf(error)}\n`)
    return exitCodeOf(error)
  }
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
    .addHelpText('after', BEGIN)
    .exitOverride()
    .action((name: string | undefined, _options: object, self: Command) => {
      if (name === undefined) self.outputHelp()
      else self.error(`error: there is no command '${name}' in millpond ${version()}; see millpond --help`)
    })
  addInitCommand(root)
  addServeCommand(root, redis)
  addDataCommands(root, exit)
  addCacheCommands(root)
  addTokenCommands(root)
  addObserveCommands(root, exit)
  addBenchCommand(root)
  addTransferCommands(root, exit)
  addProfileCommands(root)
  addDoctorCommands(root, exit)
  addMeshCommands(root, exit)
  addCompletionCommand(root)
  return root
}

const BEGIN = `
To begin:  millpond init && millpond serve
Commands go where --url, --profile, MILLPOND_URL or the saved profile say; each has --help, and most have --json.
Exit codes: 0 done, 1 could not be done, 2 usage, 3 the answer is no, 4 no connection, 5 denied.`

/** The version in package.json, two folders up in `src` and in `dist`. */
function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
