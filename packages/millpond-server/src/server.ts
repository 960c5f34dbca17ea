/** The server: listeners, connections, and their end. */
import { loadFile } from './commands/acl/acl-users.ts'
import { CommandTable } from './commands/command-table.ts'
import { Configuration } from './commands/configuration/configuration.ts'
import { loadLua } from './commands/scripting/lua/wasm.ts'
import { Service } from './commands/service.ts'
import { COMMANDS } from './commands/table.ts'
import { EngineTime } from './engine/time.ts'
import { RespListener } from './protocols/resp/listener.ts'
import { SharedBuffers } from './protocols/resp/shared-buffers.ts'
import { Upkeep } from './protocols/resp/upkeep.ts'

/** How a server is started. */
export interface ServerOptions {
  /** What redis.conf would say. Default: what it says by itself, on loopback. */
  readonly configuration?: Configuration
  /** Overrides the configuration. 0: any free one. */
  readonly port?: number
  /** Overrides the configuration. */
  readonly host?: string
  /** Bytes that keys and values may ever take: what is reserved. `maxmemory` can be less. Default 1 GiB. */
  readonly capacity?: number
  /** Users, each a name and its rules, as `user` lines of redis.conf give them. */
  readonly users?: readonly (readonly string[])[]
}

/** A running server. */
export interface RunningServer {
  readonly service: Service
  /** Of TCP; 0: it listens on a Unix socket alone. */
  readonly port: number
  /** Resolves when somebody has ended the server by SHUTDOWN. */
  readonly ended: Promise<void>
  /** Stops accepting, sends what was answered, writes what is to be kept, and ends. */
  close(): Promise<void>
}

const CAPACITY = 2 ** 30

/** Starts a server, and resolves when it listens. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { configuration = new Configuration(), capacity = CAPACITY } = options
  if (options.host !== undefined) configuration.set([['bind', options.host]])
  const service = new Service({
    time: new EngineTime(),
    commands: new CommandTable(COMMANDS),
    configuration,
    bytesMax: capacity,
    lua: await loadLua(),
  })
  for (const [name, ...rules] of options.users ?? []) service.accessControl.set(name!, rules)
  const users = configuration.text('aclfile')
  if (users !== '') loadFile(service, users)
  const listeners: RespListener[] = []
  const port = await listen(service, options.port ?? configuration.number('port'), listeners)
  const upkeep = new Upkeep(service)
  service.caches.start()
  upkeep.start()
  const { promise: ended, resolve: end } = deferred()
  service.shutdown = () => void end()
  const close = async (): Promise<void> => {
    upkeep.stop()
    service.caches.stop()
    for (const listener of listeners) listener.stop()
    for (const ending of service.endings) await ending()
    await Promise.all(listeners.map((listener) => listener.close()))
    end()
  }
  return { service, port, ended, close }
}

/** Listens where the configuration says, and returns the port. Addresses with '-' before them are left out if they are not there. */
async function listen(service: Service, port: number, listeners: RespListener[]): Promise<number> {
  const { configuration } = service
  const shared = new SharedBuffers()
  const path = configuration.text('unixsocket')
  const hosts = port === 0 && path !== '' ? [] : configuration.text('bind').split(' ').filter(Boolean)
  let taken = port
  for (const host of hosts) {
    const listener = new RespListener(service, shared)
    try {
      taken = await listener.listen({ host: addressOf(host), port: taken })
      listeners.push(listener)
    } catch (error) {
      if (!host.startsWith('-')) throw error
    }
  }
  if (path !== '') {
    const listener = new RespListener(service, shared)
    await listener.listen({ path, mode: Number.parseInt(configuration.text('unixsocketperm'), 8) })
    listeners.push(listener)
  }
  if (taken !== port) configuration.start('port', String(taken))
  return taken
}

function addressOf(host: string): string {
  const address = host.replace(/^-/, '')
  return address === '*' ? '0.0.0.0' : address === '::*' ? '::' : address
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
