/** The server: listeners, connections, and their end. */
import { CommandTable } from './commands/command-table.ts'
import { loadLua } from './commands/scripting/lua/wasm.ts'
import { Service } from './commands/service.ts'
import { COMMANDS } from './commands/table.ts'
import { EngineTime } from './engine/time.ts'
import { RespListener } from './protocols/resp/listener.ts'
import { SharedBuffers } from './protocols/resp/shared-buffers.ts'

/** How a server is started. */
export interface ServerOptions {
  /** Default 6379. 0: any free one. */
  readonly port?: number
  /** Default '127.0.0.1'. */
  readonly host?: string
  /** Bytes that keys and values may take. Default 256 MiB. */
  readonly maxMemory?: number
}

/** A running server. */
export interface RunningServer {
  readonly port: number
  close(): Promise<void>
}

/** Starts a server, and resolves when it listens. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const service = new Service({
    time: new EngineTime(),
    commands: new CommandTable(COMMANDS),
    bytesMax: options.maxMemory ?? 256 * 2 ** 20,
    lua: await loadLua(),
  })
  service.caches.start()
  const listener = new RespListener(service, new SharedBuffers())
  const port = await listener.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 6379 })
  return {
    port,
    close: () => {
      service.caches.stop()
      return listener.close()
    },
  }
}
