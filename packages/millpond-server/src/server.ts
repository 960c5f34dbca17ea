/** The server: listeners, connections, and their end. */
import { createServer, type Server } from 'node:net'
import { CommandTable } from './commands/command-table.ts'
import { Service } from './commands/service.ts'
import { COMMANDS } from './commands/table.ts'
import { EngineTime } from './engine/time.ts'
import { RespConnection } from './protocols/resp/connection.ts'

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
  const time = new EngineTime()
  const commands = new CommandTable(COMMANDS)
  const service = new Service({ time, commands, bytesMax: options.maxMemory ?? 256 * 2 ** 20 })
  const listener = createServer({ noDelay: true }, (socket) => new RespConnection(service, socket))
  const port = await listen(listener, options.port ?? 6379, options.host ?? '127.0.0.1')
  return { port, close: () => new Promise((resolve) => listener.close(() => resolve())) }
}

function listen(listener: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(port, host, () => {
      const address = listener.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
