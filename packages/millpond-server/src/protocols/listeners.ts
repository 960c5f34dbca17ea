/** All places where a host listens: for each protocol a port, one with TLS, and a Unix socket. */
import type { Host } from '../commands/host.ts'
import { HttpListener } from './http/listener.ts'
import { Listener } from './listener.ts'
import type { Listening } from './listening.ts'
import { MemcachedProtocol } from './memcached/protocol.ts'
import type { PortSharing } from './place.ts'
import { Port } from './port.ts'
import { RespProtocol } from './resp/protocol.ts'
import { SharedInput } from './shared-input.ts'
import { TlsFiles } from './tls-files.ts'

export const PORT_NAMES = [
  'port',
  'tls-port',
  'memcached-port',
  'memcached-tls-port',
  'http-port',
  'http-tls-port',
] as const
export type PortName = (typeof PORT_NAMES)[number]

/** Ports by the parameters that name them; 0: none. */
export type Ports = Readonly<Record<PortName, number>>

/** What listens for a protocol: with `tls` its peers are to speak TLS. */
type Make = (tls?: TlsFiles) => Listening

/** A protocol, and the parameters that say where it is spoken. */
interface Spoken {
  readonly port: PortName
  readonly tlsPort: PortName
  readonly socket: string
  readonly make: Make
}

export class Listeners {
  readonly #host: Host
  readonly #ports = new Map<PortName, Port>()
  readonly #sharing: PortSharing
  readonly #sockets: Listening[] = []
  #tls: TlsFiles | undefined

  /** @param sharing whether other threads listen at `port`, too */
  constructor(host: Host, sharing: PortSharing = 'none') {
    this.#host = host
    this.#sharing = sharing
  }

  /** What listens by a parameter. */
  port(name: PortName): Port | undefined {
    return this.#ports.get(name)
  }

  /**
   * Listens everywhere. Resolves with the ports.
   *
   * @param given overrides the configuration, and then 0 is any free one
   */
  async start(given: Partial<Ports> = {}): Promise<Ports> {
    const ports = {} as Record<PortName, number>
    for (const { port, tlsPort, socket, make } of this.#protocols()) {
      await this.#openSocket(socket, make)
      ports[port] = await this.#openPort(port, given, () => make())
      ports[tlsPort] = await this.#openPort(tlsPort, given, () => make(this.#files))
    }
    return ports
  }

  #protocols(): readonly Spoken[] {
    const host = this.#host
    const input = new SharedInput()
    const resp = new RespProtocol(host)
    const memcached = new MemcachedProtocol(host)
    return [
      {
        port: 'port',
        tlsPort: 'tls-port',
        socket: 'unixsocket',
        make: (tls) => new Listener(host, resp, input, tls, tls ? 'none' : this.#sharing),
      },
      {
        port: 'memcached-port',
        tlsPort: 'memcached-tls-port',
        socket: 'memcached-unixsocket',
        make: (tls) => new Listener(host, memcached, input, tls),
      },
      {
        port: 'http-port',
        tlsPort: 'http-tls-port',
        socket: 'http-unixsocket',
        make: (tls) => new HttpListener(host, tls),
      },
    ]
  }

  /** Reads the certificates again. @throws ReplyError what cannot be used; the present ones go on */
  reload(): void {
    this.#tls?.reload()
  }

  /** Stops accepting. */
  stop(): void {
    this.#tls?.stop()
    for (const each of [...this.#ports.values(), ...this.#sockets]) each.stop()
  }

  /** Ends all connections, once what was answered is sent. */
  async close(): Promise<void> {
    await Promise.all([...this.#ports.values(), ...this.#sockets].map((each) => each.close()))
  }

  /** Read when TLS is first needed: who needs none need have no files. */
  get #files(): TlsFiles {
    this.#tls ??= new TlsFiles(this.#host.home.configuration)
    return this.#tls
  }

  async #openPort(name: PortName, given: Partial<Ports>, make: () => Listening): Promise<number> {
    const port = new Port(this.#host.home.configuration, name, make)
    this.#ports.set(name, port)
    return port.start(given[name])
  }

  async #openSocket(name: string, make: Make): Promise<void> {
    const { configuration } = this.#host.home
    const path = configuration.text(name)
    if (path === '') return
    const listening = make()
    this.#sockets.push(listening)
    await listening.listen({ path, mode: Number.parseInt(configuration.text('unixsocketperm'), 8) })
  }
}
