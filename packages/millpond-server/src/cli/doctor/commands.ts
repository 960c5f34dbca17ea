/** `millpond doctor`: its commands and their options. What they do is loaded when one is asked for. */
import { type Command, InvalidArgumentError } from 'commander'
import type { Exit } from '../print.ts'
import { type ReachFlags, reaching } from '../reach-flags.ts'
import type { PostgresFlags } from './postgres/doctor.ts'

/** Adds `doctor` and its commands to the program. */
export function addDoctorCommands(program: Command, exit: Exit): void {
  const doctor = reaching(program.command('doctor').description('say whether a service is well, and what to do if not'))
    .usage('[command] [options]')
    .argument('[command]')
    .allowExcessArguments()
    .addHelpText('after', CODES)
    .action(async (name: string | undefined, flags: ReachFlags, self: Command) => {
      if (name !== undefined) self.error(`error: there is no command 'doctor ${name}'; see millpond doctor --help`)
      exit(await (await import('./service/doctor.ts')).doctorService(flags))
    })

  doctor
    .command('postgres')
    .description(
      'whether a PostgreSQL can tell a cache of its changes: settings, rights, publication, tables; changes nothing',
    )
    .argument('[url]', 'postgres://role@host/database, of the role that the application uses')
    .option('--tables <list>', 'the tables to be told about, separated by commas: orders,shop.items', list)
    .option('--publication <name>', 'the publication that the feed reads', 'millpond')
    .option('--mode <mode>', 'replication or triggers', mode, 'replication')
    .option('--json', 'print JSON')
    .addHelpText('after', SOURCES)
    .action(async (url: string | undefined, flags: PostgresFlags) =>
      exit(await (await import('./postgres/doctor.ts')).doctorPostgres(url, flags)),
    )
}

const CODES = `
Exit code: 0 all is well, 1 something is to be changed, 4 no connection, 5 denied.`

const SOURCES = `
Without a url it is taken from DATABASE_URL, else from PGHOST, PGUSER, PGPASSWORD and so on. A password on the command
line can be seen by others on this machine: PGPASSWORD or a .pgpass file is better. Without --tables it looks at the
tables of the publication, or where there is none yet, at all tables.

Exit code: 0 all is well, 1 something is to be changed, 2 no connection, or arguments that cannot be understood.`

function list(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every((name) => /^[^.]+(\.[^.]+)?$/.test(name))) return names
  throw new InvalidArgumentError('Give names as orders or shop.items, separated by commas.')
}

function mode(text: string): 'replication' | 'triggers' {
  if (text === 'replication' || text === 'triggers') return text
  throw new InvalidArgumentError('Give replication or triggers.')
}
