/** What all clients of one cache share, as commands see it. */
import { randomBytes } from 'node:crypto'

import type { Arguments } from '../engine/arguments.ts'
import { Cache } from '../engine/cache.ts'
import { ReplyError } from '../engine/errors.ts'
import type { ItemSharing } from '../engine/items.ts'
import type { Keyspace } from '../engine/keyspace.ts'
import type { Reply } from '../engine/reply.ts'
import type { EngineTime } from '../engine/time.ts'
import { Meter, NO_QUOTAS } from '../security/meter.ts'
import { AccessControl } from './acl/access-control.ts'
import { Changes } from './changes.ts'
import type { Client } from './client.ts'
import { ClientMemory } from './client-memory.ts'
import type { CommandEntry, CommandTable } from './command-table.ts'
import { followCache } from './configuration/cache-settings.ts'
import { Configuration } from './configuration/configuration.ts'
import { Settings } from './configuration/settings.ts'
import type { Host } from './host.ts'
import { Logs } from './logs.ts'
import { SERVICE_MODE } from './modes.ts'
import { Pause } from './pause.ts'
import { Persistence } from './persistence/persistence.ts'
import { Channels } from './pubsub/channels.ts'
import { Notifications } from './pubsub/notifications.ts'
import { Scripts } from './scripting/scripts.ts'
import { LatencyMonitor } from './server/latency-monitor.ts'
import { Monitors } from './server/monitors.ts'
import { SlowLog } from './server/slow-log.ts'
import type { Sharing } from './sharing.ts'
import { Statistics } from './statistics.ts'
import { Tracking } from './tracking/tracking.ts'
import { WatchedKeys } from './transactions/watched-keys.ts'
import { Waiters } from './waiters.ts'

/** How a service is made. */
export interface ServiceOptions {
  readonly time: EngineTime
  readonly commands: CommandTable
  /** Bytes that keys and values may take. */
  readonly bytesMax: number
  /** Of the cache. Default 'default'. */
  readonly name?: string
  /** Where it is one of several. Default: it is alone. */
  readonly host?: Host
  /** Default: every parameter as it is by itself. */
  readonly configuration?: Configuration
  /** Default Math.random. */
  readonly random?: () => number
  /** Whether threads share the cache. Default 'own': they do not. */
  readonly cacheSharing?: ItemSharing
  /** Default: statistics of its own. */
  readonly statistics?: Statistics
}

/** One cache as a server: its databases, its clients, its configuration. */
export class Service {
  readonly time: EngineTime
  readonly commands: CommandTable
  /** A number from 0 to below 1, by chance: what SPOP, RANDOMKEY and their like draw. */
  readonly random: () => number
  readonly configuration: Configuration
  /** What is asked of the configuration all the time. */
  readonly settings: Settings
  /** Who hears of changes. */
  readonly changes: Changes
  /** The host that it is in, if it is not alone. */
  readonly host: Host | undefined
  /** What holds the keys, and its databases. */
  readonly cache: Cache
  readonly databases: readonly Keyspace[]
  /** All clients by id. */
  readonly clients: Map<number, Client> = new Map()
  /** How many of them there may be by tokens and access keys. */
  connectionsMax: number = Infinity
  /** What its clients may do in a second, all together. */
  readonly meter: Meter
  readonly clientMemory: ClientMemory
  readonly statistics: Statistics
  readonly waiters: Waiters
  readonly watchedKeys: WatchedKeys
  readonly accessControl: AccessControl
  readonly channels: Channels = new Channels()
  readonly notifications: Notifications
  readonly tracking: Tracking
  readonly monitors: Monitors
  readonly slowLog: SlowLog = new SlowLog()
  readonly latency: LatencyMonitor = new LatencyMonitor()
  readonly pause: Pause
  readonly logs: Logs
  readonly scripts: Scripts
  /** What is kept on disk. */
  readonly persistence: Persistence
  /** Whether there is room for more, once what may be evicted is. Asked while SERVICE_MODE.BOUNDED is set. */
  hasRoom: () => boolean = () => this.cache.hasRoom()
  /** Why the log can not be written, while SERVICE_MODE.LOG_FAILED is set. */
  logFault: () => ReplyError = () => new ReplyError('the log can not be written', 'MISCONF')
  /** Is told of what must never happen: a command threw what is no answer. */
  onFault: (error: unknown) => void = (error) => void process.stderr.write(`${faultText(error)}\n`)
  /** Ends the server: SHUTDOWN. Without: somebody else does. */
  shutdown: ((how: { readonly save: 'always' | 'never' | 'as configured' }) => void) | undefined
  /** Which run of the server this is: 40 hexadecimal digits. */
  readonly runId: string = randomBytes(20).toString('hex')
  readonly startedAtMs: number
  /** What is to be done before the server ends, once no command runs any more: writing what is to be kept. */
  readonly endings: (() => Promise<void>)[] = []
  /** Bits of SERVICE_MODE. */
  modes = 0
  /** The other threads that run commands on this cache. */
  sharing: Sharing | undefined
  /** Whose command runs. */
  current: Client | undefined
  /** The command that runs, if it is one that may wait or run others. */
  running: { readonly entry: CommandEntry; readonly args: Arguments; readonly reply: Reply } | undefined
  /** How many commands run inside each other: EXEC and scripts run others. */
  depth = 0
  #lastClientId = 0

  constructor(options: ServiceOptions) {
    const { time, commands, bytesMax, random = Math.random } = options
    this.time = time
    this.commands = commands
    this.host = options.host
    this.random = random
    this.configuration = options.configuration ?? new Configuration()
    const databases = this.configuration.number('databases')
    this.settings = new Settings(this.configuration)
    this.changes = new Changes(this)
    const { name = 'default', cacheSharing = 'own' } = options
    this.cache = new Cache({ name, time, observer: this.changes, capacity: bytesMax, databases, sharing: cacheSharing })
    this.cache.onCleared = (ms) => this.#tookEvent('expire-cycle', ms)
    this.cache.onPressure = (above) => this.setMode(SERVICE_MODE.BOUNDED, above)
    this.databases = this.cache.databases
    followCache(this.configuration, this.cache)
    this.meter = new Meter(`cache '${name}'`, NO_QUOTAS, time.nowMs)
    this.accessControl = new AccessControl(this)
    this.statistics = options.statistics ?? new Statistics(commands.entries.length)
    this.waiters = new Waiters(this)
    this.watchedKeys = new WatchedKeys(this)
    this.tracking = new Tracking(this)
    this.notifications = new Notifications(this)
    this.monitors = new Monitors(this)
    this.pause = new Pause(this)
    this.clientMemory = new ClientMemory(this)
    this.logs = new Logs(this)
    this.scripts = new Scripts(this)
    this.startedAtMs = time.nowMs
    this.persistence = new Persistence(this)
    this.configuration.follow('busy-reply-threshold', (value) => void (this.scripts.busyAfterMs = Number(value)))
    this.configuration.follow('slowlog-max-len', (value) => void (this.slowLog.max = Number(value)))
  }

  /** A number for the next client. */
  nextClientId(): number {
    return this.host?.nextClientId() ?? ++this.#lastClientId
  }

  /** Makes a client who it says that it is. Returns whether that is so. @throws ReplyError why a token opens nothing */
  authenticate(client: Client, name: string, secret: string): boolean {
    return (this.host ?? this.accessControl).authenticate(client, name, secret)
  }

  /** Ends it, once what it keeps is written. */
  async stop(): Promise<void> {
    this.cache.stop()
    for (const ending of this.endings) await ending()
  }

  /** How long a string may become. */
  get stringBytesMax(): number {
    return this.settings.bulkBytesMax
  }

  /** Called when the commands of a read, or of a timer, are over. */
  endBatch(): void {
    this.statistics.batches++
    this.statistics.end()
    this.tracking.broadcast()
    this.logs.flush()
    if (this.waiters.due) this.waiters.serve()
  }

  /** A command that was timed alone took so long: it may be a case for the slow log. */
  tookTime(client: Client, entry: CommandEntry, args: Arguments, ms: number): void {
    const { slowMicroseconds } = this.settings
    if (slowMicroseconds >= 0 && ms * 1000 >= slowMicroseconds && !entry.has('skip_slowlog')) {
      this.slowLog.add(client, args, ms * 1000)
    }
    this.#tookEvent(entry.isFast ? 'fast-command' : 'command', ms)
  }

  /** Something that LATENCY tells of took so long. */
  #tookEvent(name: string, ms: number): void {
    const { latencyMs } = this.settings
    if (latencyMs > 0 && ms >= latencyMs) this.latency.add(name, Math.floor(ms), this.time.wall())
  }

  setMode(mode: number, on: boolean): void {
    this.modes = on ? this.modes | mode : this.modes & ~mode
    this.sharing?.reconsider()
  }
}

function faultText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
