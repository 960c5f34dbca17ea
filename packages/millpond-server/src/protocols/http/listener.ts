/** Accepts HTTP, on a port or on a Unix socket, with TLS or without. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Host } from '../../commands/host.ts'
import { drain } from '../drain.ts'
import type { ListenAt, Listening } from '../listening.ts'
import { Place } from '../place.ts'
import type { TlsFiles } from '../tls-files.ts'
import { HttpConnection } from './connection.ts'
import { Exchange, type Served } from './exchange.ts'
import { type Metrics, metricsOf } from './metrics.ts'
import { route } from './router.ts'

/** How long and large the head of a request may be, and how long it may take to come. */
const LIMITS: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 120_000,
  connectionsCheckingInterval: 2000,
  keepAliveTimeout: 75_000,
  noDelay: true,
}
const HEADERS_MAX = 100
const HANDSHAKE_MS = 10_000

const TOO_MANY = 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** What is answered to bytes that are no request, by the code of Node's error. */
const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

export class HttpListener implements Listening, Served {
  readonly host: Host
  readonly metrics: Metrics
  isEnding = false
  readonly #server: Server
  readonly #place: Place
  readonly #connections = new Map<Socket, HttpConnection>()
  readonly #isTls: boolean

  /**
   * @param tls without it: none
   * @param limits in place of the usual ones
   */
  constructor(host: Host, tls?: TlsFiles, limits: ServerOptions = {}) {
    this.host = host
    this.metrics = metricsOf(host)
    this.#isTls = tls !== undefined
    const serve = (request: IncomingMessage, response: ServerResponse): void => this.#serve(request, response)
    if (tls) {
      const server = createTlsServer({ ...LIMITS, ...limits, ...tls.options, handshakeTimeout: HANDSHAKE_MS }, serve)
      server.on('tlsClientError', (_error, socket) => socket.destroy())
      tls.follow(server)
      this.#server = server
    } else this.#server = createServer({ ...LIMITS, ...limits }, serve)
    this.#server.maxHeadersCount = HEADERS_MAX
    this.#server.on('connection', (socket: Socket) => this.#accept(socket))
    if (tls) this.#server.on('secureConnection', (socket: Socket) => this.#connect(socket))
    this.#server.on('clientError', refuse)
    this.#place = new Place(this.#server, host.home.configuration)
  }

  listen(at: ListenAt): Promise<number> {
    return this.#place.listen(at)
  }

  listenNow(host: string, port: number): boolean {
    return this.#place.listenNow(host, port)
  }

  stop(): void {
    this.isEnding = true
    this.#place.stop()
  }

  async close(): Promise<void> {
    this.stop()
    await drain(this.#connections.keys(), (socket) => this.#connections.get(socket)?.end())
  }

  #accept(socket: Socket): void {
    const { home, clientCount } = this.host
    home.statistics.connections++
    if (clientCount >= home.settings.clientsMax) {
      home.statistics.connectionsRefused++
      socket.on('error', () => socket.destroy())
      if (this.#isTls) socket.destroy()
      else socket.end(TOO_MANY).destroySoon()
    } else if (!this.#isTls) this.#connect(socket)
  }

  #connect(socket: Socket): void {
    const { keepAliveSeconds } = this.host.home.settings
    if (keepAliveSeconds > 0) socket.setKeepAlive(true, keepAliveSeconds * 1000)
    const connection = new HttpConnection(this.host, socket)
    this.#connections.set(socket, connection)
    socket.once('close', () => {
      this.#connections.delete(socket)
      connection.leave()
    })
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket)
    if (connection === undefined) request.socket.destroy()
    else route(new Exchange(this, connection, request, response))
  }
}

function refuse({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = REFUSALS[code] ?? '400 Bad Request'
  socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  socket.destroySoon()
}
