/** The server: listeners, connections, and their end. */
import { loadFile } from './commands/acl/acl-users.ts'
import { CommandTable } from './commands/command-table.ts'
import { Configuration } from './commands/configuration/configuration.ts'
import { loadLua } from './commands/scripting/lua/wasm.ts'
import { Service } from './commands/service.ts'
import { COMMANDS } from './commands/table.ts'
import { EngineTime } from './engine/time.ts'
import { Listeners } from './protocols/resp/listeners.ts'
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
  await service.persistence.start()
  const listeners = new Listeners(service)
  const port = await listeners.start(options.port ?? configuration.number('port'))
  const upkeep = new Upkeep(service)
  service.caches.start()
  upkeep.start()
  const { promise: ended, resolve: end } = deferred()
  service.shutdown = end
  const close = async (): Promise<void> => {
    upkeep.stop()
    service.caches.stop()
    listeners.stop()
    for (const ending of service.endings) await ending()
    await listeners.close()
    end()
  }
  return { service, port, ended, close }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
