/** Accepts connections of a byte protocol, on a port or on a Unix socket, with TLS or without. */
import { createServer, Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import type { Host } from '../commands/host.ts'
import { Arrivals } from './arrivals.ts'
import type { ByteProtocol } from './byte-protocol.ts'
import { drain } from './drain.ts'
import type { ListenAt, Listening } from './listening.ts'
import { Place, type PortSharing } from './place.ts'
import { isDenied } from './protected-mode.ts'
import type { SharedInput } from './shared-input.ts'
import type { TlsFiles } from './tls-files.ts'

/** What Node has inside a socket, and can read into memory of ours: known by its shape, and done without where it is not so. */
interface ReadsIntoOurs {
  _handle: { useUserBuffer?: unknown } | null
}

/** A peer that has begun TLS must come to its end in so long. */
const HANDSHAKE_MS = 10_000

export class Listener implements Listening {
  readonly #place: Place
  readonly #host: Host
  readonly #protocol: ByteProtocol
  readonly #input: SharedInput
  readonly #arrivals = new Arrivals()
  readonly #sockets = new Set<Socket>()

  /** @param tls without it: none */
  constructor(host: Host, protocol: ByteProtocol, input: SharedInput, tls?: TlsFiles, sharing: PortSharing = 'none') {
    this.#host = host
    this.#protocol = protocol
    this.#input = input
    if (tls === undefined) {
      const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#accept(socket))
      this.#place = new Place(server, host.home.configuration, sharing)
      return
    }
    const server = createTlsServer({ ...tls.options, handshakeTimeout: HANDSHAKE_MS, noDelay: true }, (socket) =>
      this.#accept(socket),
    )
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    tls.follow(server)
    this.#place = new Place(server, host.home.configuration)
  }

  get fd(): number | undefined {
    return this.#place.fd
  }

  listen(at: ListenAt): Promise<number> {
    return this.#place.listen(at)
  }

  listenNow(host: string, port: number): boolean {
    return this.#place.listenNow(host, port)
  }

  stop(): void {
    this.#place.stop()
  }

  async close(): Promise<void> {
    this.stop()
    // What was answered in this turn goes out at its end.
    await setImmediate()
    await drain(this.#sockets, (socket) => socket.destroySoon())
  }

  #accept(accepted: Socket): void {
    const { home, clientCount } = this.#host
    home.statistics.connections++
    if (clientCount >= home.settings.clientsMax) {
      this.#refuse(accepted, this.#protocol.tooMany)
      return
    }
    const { denied } = this.#protocol
    if (denied !== undefined && isDenied(home, accepted.remoteAddress)) {
      this.#refuse(accepted, denied)
      return
    }
    const socket = this.#reading(accepted)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    this.#arrivals.add(() => socket.resume())
  }

  #refuse(accepted: Socket, why: Buffer): void {
    this.#host.home.statistics.connectionsRefused++
    accepted.on('error', () => accepted.destroy())
    accepted.end(why)
  }

  /** Lets a connection read into the shared memory, where this Node can; else each read has memory of its own. */
  #reading(accepted: Socket): Socket {
    const { bytes: input, headroom } = this.#input
    const inside = accepted as unknown as ReadsIntoOurs
    if (typeof inside._handle?.useUserBuffer !== 'function') {
      const receive = this.#connect(accepted)
      accepted.on('data', (bytes: Buffer) => receive(bytes, 0, bytes.length))
      return accepted
    }
    const handle = inside._handle
    inside._handle = null
    const onread = {
      buffer: input.subarray(headroom),
      callback: (count: number): boolean => {
        receive(input, headroom, headroom + count)
        return true
      },
    }
    const socket: Socket = new Socket({
      handle,
      onread,
      readable: true,
      writable: true,
      pauseOnCreate: true,
    } as ConstructorParameters<typeof Socket>[0])
    if ('encrypted' in accepted) follow(accepted, socket)
    socket.setNoDelay(true)
    const receive = this.#connect(socket)
    return socket
  }

  #connect(socket: Socket): (bytes: Buffer, start: number, end: number) => void {
    const { keepAliveSeconds } = this.#host.home.settings
    if (keepAliveSeconds > 0) socket.setKeepAlive(true, keepAliveSeconds * 1000)
    const connection = this.#protocol.connect(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => connection.leave())
    return (bytes, start, end) => connection.receive(bytes, start, end)
  }
}

/** With TLS the accepted socket stays beside the one that has taken its inside: what it still hears of ends both. */
function follow(accepted: Socket, socket: Socket): void {
  Object.assign(socket, { encrypted: true })
  accepted.on('error', () => socket.destroy())
  accepted.once('close', () => socket.destroy())
}
