/** Accepts connections and gives each its place: on a port, or on a Unix socket. */
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, Socket } from 'node:net'
import type { Service } from '../../commands/service.ts'
import { RespConnection } from './connection.ts'
import type { SharedBuffers } from './shared-buffers.ts'

/** Where to listen. */
export type ListenAt =
  | { readonly host: string; readonly port: number }
  | { readonly path: string; readonly mode?: number | undefined }

/** What Node has inside a socket, and can read into memory of ours: known by its shape, and done without where it is not so. */
interface ReadsIntoOurs {
  _handle: { useUserBuffer?: unknown } | null
}

const TOO_MANY = Buffer.from('-ERR max number of clients reached\r\n')

export class RespListener {
  readonly #server: Server
  readonly #service: Service
  readonly #shared: SharedBuffers
  readonly #sockets = new Set<Socket>()
  #path: string | undefined

  constructor(service: Service, shared: SharedBuffers) {
    this.#service = service
    this.#shared = shared
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#accept(socket))
  }

  /** Resolves with the port, when connections are accepted; 0: a Unix socket. */
  listen(at: ListenAt): Promise<number> {
    const backlog = this.#service.configuration.number('tcp-backlog')
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      const listening = (): void => {
        this.#server.off('error', reject)
        const address = this.#server.address()
        if ('path' in at && at.mode) chmodSync(at.path, at.mode)
        resolve(typeof address === 'object' && address ? address.port : 0)
      }
      if ('path' in at) {
        rmSync(at.path, { force: true })
        this.#path = at.path
        this.#server.listen({ path: at.path, backlog }, listening)
      } else this.#server.listen({ port: at.port, host: at.host, backlog }, listening)
    })
  }

  /** As `listen`, on an address that is a number. Returns at once whether that could be done. */
  listenNow(host: string, port: number): boolean {
    this.#server.on('error', () => {})
    this.#server.listen({ port, host, backlog: this.#service.configuration.number('tcp-backlog') })
    return this.#server.address() !== null
  }

  /** Stops accepting. */
  stop(): void {
    this.#server.close()
    if (this.#path !== undefined) rmSync(this.#path, { force: true })
  }

  /** Ends all connections, once what was answered is sent. */
  async close(): Promise<void> {
    this.stop()
    const open = [...this.#sockets]
    await Promise.all(open.map((socket) => new Promise<void>((resolve) => socket.once('close', resolve).destroySoon())))
  }

  #accept(accepted: Socket): void {
    const service = this.#service
    service.statistics.connections++
    if (service.clients.size >= service.settings.clientsMax) {
      service.statistics.connectionsRefused++
      accepted.on('error', () => accepted.destroy())
      accepted.end(TOO_MANY)
      return
    }
    const socket = this.#reading(accepted)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Lets a connection read into the shared memory, where this Node can; else each read has memory of its own. */
  #reading(accepted: Socket): Socket {
    const { input, headroom } = this.#shared
    const inside = accepted as unknown as ReadsIntoOurs
    if (typeof inside._handle?.useUserBuffer !== 'function') {
      const connection = this.#connect(accepted)
      accepted.on('data', (bytes: Buffer) => connection.receive(bytes, 0, bytes.length))
      accepted.resume()
      return accepted
    }
    const handle = inside._handle
    inside._handle = null
    const onread = {
      buffer: input.subarray(headroom),
      callback: (count: number): boolean => {
        connection.receive(input, headroom, headroom + count)
        return true
      },
    }
    const socket: Socket = new Socket({ handle, onread, readable: true, writable: true } as ConstructorParameters<
      typeof Socket
    >[0])
    socket.setNoDelay(true)
    const connection = this.#connect(socket)
    socket.resume()
    return socket
  }

  #connect(socket: Socket): RespConnection {
    const { keepAliveSeconds } = this.#service.settings
    if (keepAliveSeconds > 0) socket.setKeepAlive(true, keepAliveSeconds * 1000)
    const connection = new RespConnection(this.#service, socket, this.#shared)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => connection.leave())
    return connection
  }
}
