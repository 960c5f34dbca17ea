/** What all clients of one server share, as commands see it. */
import type { Arguments } from '../engine/arguments.ts'
import { ReplyError } from '../engine/errors.ts'
import { Keyspace } from '../engine/keyspace.ts'
import type { Reply } from '../engine/reply.ts'
import type { EngineTime } from '../engine/time.ts'
import { Changes } from './changes.ts'
import type { Client } from './client.ts'
import type { CommandEntry, CommandTable } from './command-table.ts'
import { Logs } from './logs.ts'
import { Pause } from './pause.ts'
import { Statistics } from './statistics.ts'
import { WatchedKeys } from './transactions/watched-keys.ts'
import { Waiters } from './waiters.ts'

/** How a service is made. */
export interface ServiceOptions {
  readonly time: EngineTime
  readonly commands: CommandTable
  /** Bytes that keys and values may take. */
  readonly bytesMax: number
  /** Default 16. */
  readonly databases?: number
  /** Default Math.random. */
  readonly random?: () => number
}

/** One server: its databases, its clients, its configuration. */
export class Service {
  readonly time: EngineTime
  readonly commands: CommandTable
  /** A number from 0 to below 1, by chance: what SPOP, RANDOMKEY and their like draw. */
  readonly random: () => number
  /** How long a string may become: `proto-max-bulk-len`. */
  stringBytesMax: number = 512 * 2 ** 20
  /** Who hears of changes. */
  readonly changes: Changes
  /** The databases of the cache that clients without a name use. */
  readonly databases: readonly Keyspace[]
  /** All clients by id. */
  readonly clients: Map<number, Client> = new Map()
  readonly statistics: Statistics
  readonly waiters: Waiters
  readonly watchedKeys: WatchedKeys
  readonly pause: Pause
  readonly logs: Logs
  /** Whether there is room for more, once what may be evicted is. Asked while SERVICE_MODE.BOUNDED is set. */
  hasRoom: () => boolean = () => true
  /** Why the log can not be written, while SERVICE_MODE.LOG_FAILED is set. */
  logFault: () => ReplyError = () => new ReplyError('the log can not be written', 'MISCONF')
  /** Is told of what must never happen: a command threw what is no answer. */
  onFault: (error: unknown) => void = (error) => void process.stderr.write(`${faultText(error)}\n`)
  /** Bits of SERVICE_MODE. */
  modes = 0
  /** Whose command runs. */
  current: Client | undefined
  /** The command that runs, if it is one that may wait or run others. */
  running: { readonly entry: CommandEntry; readonly args: Arguments; readonly reply: Reply } | undefined
  /** How many commands run inside each other: EXEC and scripts run others. */
  depth = 0
  #lastClientId = 0

  constructor(options: ServiceOptions) {
    const { time, commands, bytesMax, databases = 16, random = Math.random } = options
    this.time = time
    this.commands = commands
    this.random = random
    this.changes = new Changes(this)
    this.databases = Array.from({ length: databases }, (_, at) => new Keyspace(at, bytesMax, time, this.changes))
    this.statistics = new Statistics(commands.entries.length)
    this.waiters = new Waiters(this)
    this.watchedKeys = new WatchedKeys(this)
    this.pause = new Pause(this)
    this.logs = new Logs(this)
  }

  /** A number for the next client. */
  nextClientId(): number {
    return ++this.#lastClientId
  }

  setMode(mode: number, on: boolean): void {
    this.modes = on ? this.modes | mode : this.modes & ~mode
  }
}

function faultText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
