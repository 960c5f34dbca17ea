/** The server: caches, listeners, connections, and their end. */
import { movers } from './backups/movers.ts'
import { Schedules } from './backups/schedules.ts'
import { loadFile } from './commands/acl/acl-users.ts'
import { openAudit } from './commands/audit.ts'
import { CommandTable } from './commands/command-table.ts'
import { Configuration } from './commands/configuration/configuration.ts'
import { Host } from './commands/host.ts'
import type { Service } from './commands/service.ts'
import { COMMANDS } from './commands/table.ts'
import { makeEntrance } from './commands/tokens/entrance.ts'
import { Transfers } from './commands/transfers/transfers.ts'
import { EngineTime } from './engine/time.ts'
import { Listeners, PORT_NAMES, type Ports } from './protocols/listeners.ts'
import { Upkeep } from './protocols/upkeep.ts'
import { portSharing } from './threads/hand-over.ts'
import { Threads } from './threads/threads.ts'

/** How a server is started. */
export interface ServerOptions {
  /** What redis.conf would say. Default: what it says by itself, on loopback. */
  readonly configuration?: Configuration
  /** Override the configuration, where 0 is any free one. Default, if the configuration names no place at all: a free `port`. */
  readonly ports?: Partial<Ports>
  /** Overrides the configuration. */
  readonly host?: string
  /** Bytes that keys and values may ever take: what is reserved. `maxmemory` can be less. Default 1 GiB. */
  readonly capacity?: number
  /** Users, each a name and its rules, as `user` lines of redis.conf give them. */
  readonly users?: readonly (readonly string[])[]
}

/** A running server. */
export interface RunningServer {
  readonly host: Host
  /** The cache of clients that name none. */
  readonly service: Service
  /** By the parameters that name them; 0: none. */
  readonly ports: Ports
  /** Of RESP by TCP. */
  readonly port: number
  /** Resolves when somebody has ended the server by SHUTDOWN. @throws ThreadError one of its threads has ended by itself */
  readonly ended: Promise<void>
  /** Reads the certificates again. @throws ReplyError what cannot be used; the present ones go on */
  reload(): void
  /** Stops accepting, sends what was answered, writes what is to be kept, and ends. */
  close(): Promise<void>
}

const CAPACITY = 2 ** 30

/** Starts a server, and resolves when it listens. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { configuration = new Configuration(), capacity = CAPACITY } = options
  if (options.host !== undefined) configuration.set([['bind', options.host]])
  const threads = configuration.number('io-threads')
  const host = new Host({
    time: new EngineTime(),
    commands: new CommandTable(COMMANDS),
    configuration,
    bytesMax: capacity,
    cacheSharing: threads > 1 ? 'shareable' : 'own',
  })
  const { home } = host
  home.accessControl.configure(options.users ?? [])
  const users = configuration.text('aclfile')
  if (users !== '') loadFile(home, users)
  host.entrance = makeEntrance(host)
  host.audit = openAudit(host)
  host.transfers = new Transfers(movers)
  await home.persistence.start()
  await host.restore()
  const listeners = new Listeners(host, portSharing(threads))
  const ports = await listen(host, listeners, options.ports ?? somewhere(configuration))
  const upkeep = new Upkeep(host)
  const schedules = new Schedules(host)
  host.start()
  upkeep.start()
  schedules.start()
  const { promise: ended, resolve: end, reject: fail } = deferred()
  home.shutdown = end
  const others = threads > 1 ? new Threads(host, threads) : undefined
  const close = async (): Promise<void> => {
    upkeep.stop()
    others?.stop()
    listeners.stop()
    others?.stopped()
    await schedules.stop()
    try {
      await host.stop()
    } finally {
      await listeners.close()
      await others?.close()
      end()
    }
  }
  if (others !== undefined) {
    others.onDeath = fail
    try {
      await others.start(listeners.port('port')!)
    } catch (error) {
      await close()
      throw error
    }
  }
  return { host, service: home, ports, port: ports.port, ended, reload: () => listeners.reload(), close }
}

/** Where one place is taken none stays open: what failed to start must not serve. */
async function listen(host: Host, listeners: Listeners, given: Partial<Ports>): Promise<Ports> {
  try {
    return await listeners.start(given)
  } catch (error) {
    listeners.stop()
    await host.stop()
    await listeners.close()
    throw error
  }
}

/** A server that nobody reaches is of no use: a configuration without any place gets a free port. */
function somewhere(configuration: Configuration): Partial<Ports> {
  const isSomewhere =
    configuration.text('unixsocket') !== '' || PORT_NAMES.some((name) => configuration.number(name) !== 0)
  return isSomewhere ? {} : { port: 0 }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let [resolve, reject] = [(): void => {}, (_error: Error): void => {}]
  const promise = new Promise<void>((done, failed) => {
    resolve = done
    reject = failed
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}
