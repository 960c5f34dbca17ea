/**
 * The servers that tests talk to, as a table, and how each is found on this machine. `install.ts` is for when it is not.
 *
 * A test needs the server `name` when it imports `tools/servers/<name>.ts`, itself or through a helper. So a new server
 * is one row here and one launcher beside this file, and a run without such tests installs nothing.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { embeddedBinaries, systemBinaries } from './postgres-binaries.ts'

/** What is known about a server: one row of the table. */
export interface ServerKind {
  /** The programs that it consists of. */
  readonly commands: readonly string[]
  /** The folder of an installation, for servers that are not on PATH. Default: the folder on PATH that has the commands. */
  readonly system?: () => string | undefined
  /** The folder inside an npm package that carries the programs, for the servers that have one. */
  readonly npm?: () => string | undefined
  /** The package on Debian and Ubuntu. */
  readonly apt: string
  /** A setting to be in force while apt installs, so that the package sets nothing up: a line in a file of another package. */
  readonly aptSetting?: { readonly package: string; readonly file: string; readonly line: string }
  /** The container image whose commands are used where Docker is all there is; none for what works on the machine itself. */
  readonly image?: string
  /** Its tests take rights that not every machine gives: where it is missing they say that they were not run. */
  readonly optional?: true
}

/** The table. A row that finds a program on PATH, and has nothing to keep from being set up, is one line. */
export const servers: Readonly<Record<string, ServerKind>> = {
  postgres: {
    commands: ['postgres', 'initdb'],
    system: systemBinaries,
    npm: embeddedBinaries,
    apt: 'postgresql',
    aptSetting: {
      package: 'postgresql-common',
      file: '/etc/postgresql-common/createcluster.conf',
      line: 'create_main_cluster = false',
    },
    image: 'postgres:17',
  },
  redis: {
    commands: ['redis-server'],
    system: () => onPath(['redis-server']) ?? onPath(['valkey-server']),
    apt: 'redis-server',
    image: 'redis:7',
  },
  memcached: { commands: ['memcached'], apt: 'memcached', image: 'memcached:1.6' },
  nft: { commands: ['nft'], apt: 'nftables', optional: true },
}

/** Where a server was found. */
export interface FoundServer {
  readonly folder: string
  /** `system`: installed here. `npm`: carried by an npm package. `docker`: scripts that call Docker. */
  readonly from: 'system' | 'npm' | 'docker'
}

/** Finds a server that is installed here. */
export function findInSystem(kind: ServerKind): FoundServer | undefined {
  const folder = kind.system === undefined ? onPath(kind.commands) : kind.system()
  return folder === undefined ? undefined : { folder, from: 'system' }
}

/** Finds a server in the npm package that carries it, which `npm ci` has installed where it exists for this platform. */
export function findInNpm(kind: ServerKind): FoundServer | undefined {
  const folder = kind.npm?.()
  return folder === undefined ? undefined : { folder, from: 'npm' }
}

/** The first folder on PATH that has all of these programs. */
export function onPath(commands: readonly string[], path: string = process.env.PATH ?? ''): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== '')
  return folders.find((folder) => commands.every((command) => isProgram(join(folder, command))))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
