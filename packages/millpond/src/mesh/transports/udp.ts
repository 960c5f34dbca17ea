import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type Clock, systemClock, timeLimit } from '../../core/clock.ts'
import { MeshError } from '../../core/errors.ts'
import type { Transport, TransportAddress, TransportReceiver, TransportStream } from '../../core/transport.ts'
import { clusterId } from '../security/keyring.ts'
import { isEcho } from './echo.ts'
import { PathProber } from './path-prober.ts'
import { Reach } from './reach.ts'
import { type SeedAddress, Seeds } from './seeds.ts'
import { SocketStream } from './socket-stream.ts'
import { SEED_PORT, type UdpTransportOptions, type WholeUdpOptions, wholeUdpOptions } from './udp-options.ts'
import { openSockets, type UdpSockets } from './udp-sockets.ts'

/** What a transport has done so far. */
export interface UdpCounts {
  /** Calls of the kernel: a datagram to all counts once for each address that it went to. */
  sent: number
  received: number
  sendErrors: number
}

/**
 * Datagrams by UDP, to all by multicast or one by one, and streams by TCP. See DESIGN.md, transports.
 *
 * Everything is sent from one socket, whose address is the member's own; a second one, shared by the processes of a host, hears
 * the group. A datagram to all is one call to the kernel where everybody proved to hear the group.
 */
export class UdpTransport implements Transport {
  readonly counts: UdpCounts = { sent: 0, received: 0, sendErrors: 0 }
  readonly #options: WholeUdpOptions
  readonly #clock: Clock
  readonly #reach: Reach
  readonly #prober: PathProber
  readonly #seeds: Seeds
  readonly #open = new Set<TransportStream>()
  readonly #bytesMax: number
  readonly #sent = (error: Error | null) => {
    if (error) this.counts.sendErrors++
  }
  #sockets: UdpSockets | undefined
  #receiver: TransportReceiver | undefined

  /** Throws `OptionError`, or `MeshError` where there is no such interface. */
  constructor(options: UdpTransportOptions, clock: Clock = systemClock) {
    const whole = wholeUdpOptions(options)
    this.#options = whole
    this.#clock = clock
    this.#bytesMax = Math.min(whole.datagramBytesMax, whole.via.datagramBytesMax)
    this.#reach = new Reach(whole.mode)
    this.#prober = new PathProber(clock, this.#reach, clusterId(whole.mesh), this.#bytesMax, (datagram, to) => {
      if (to) this.#sendTo(datagram, to)
      else this.#sendToGroup(datagram)
    })
    const seeds = { family: whole.via.family, defaultPort: SEED_PORT, everyMs: whole.seedsEveryMs, clock }
    this.#seeds = new Seeds(whole.seeds, seeds, (found) => this.#found(found))
  }

  /** Grows from 1,200 as longer datagrams prove to reach every peer. */
  get datagramBytesMax(): number {
    return this.#reach.bytes
  }

  /** Whether datagrams to all go to the group now, and how many go to one peer each. */
  get spread(): { readonly group: boolean; readonly oneByOne: number } {
    return { group: this.#sendsToGroup, oneByOne: this.#reach.targets.length }
  }

  async open(receiver: TransportReceiver): Promise<TransportAddress> {
    const sockets = await openSockets(this.#options)
    this.#receiver = receiver
    this.#sockets = sockets
    for (const socket of [sockets.own, sockets.group]) {
      socket?.on('message', (bytes, { address, port }) => this.#came(bytes, address, port))
      socket?.on('error', (cause) => receiver.failed(new MeshError('a UDP socket failed', { cause })))
    }
    sockets.streams.on('connection', (socket) => receiver.stream(this.#stream(socket)))
    sockets.streams.on('error', (cause) => receiver.failed(new MeshError('the TCP socket failed', { cause })))
    // Not waited for: a name server that is slow must not keep a process from starting.
    void this.#seeds.start()
    const { address: host, port } = sockets.own.address()
    const listening = sockets.streams.address()
    return { host, port, streamPort: typeof listening === 'object' && listening ? listening.port : 0 }
  }

  send(datagram: Uint8Array, to?: TransportAddress): void {
    if (to) {
      this.#sendTo(datagram, to)
      return
    }
    if (this.#sendsToGroup) this.#sendToGroup(datagram)
    const { targets } = this.#reach
    for (let at = 0; at < targets.length; at++) this.#sendTo(datagram, targets[at]!)
  }

  get #sendsToGroup(): boolean {
    return this.#reach.group && this.#sockets?.group !== undefined
  }

  #sendTo(datagram: Uint8Array, { host, port }: SeedAddress): void {
    if (!this.#sockets) return
    this.counts.sent++
    this.#sockets.own.send(datagram, port, host, this.#sent)
  }

  #sendToGroup(datagram: Uint8Array): void {
    if (this.#sockets?.group) this.#sendTo(datagram, { host: this.#options.group, port: this.#options.port })
  }

  #came(bytes: Buffer, host: string, port: number): void {
    this.counts.received++
    if (isEcho(bytes)) this.#prober.echo(bytes, host, port)
    else this.#receiver?.datagram(bytes, host, port)
  }

  know(peers: readonly TransportAddress[]): void {
    this.#reach.know(peers, this.#clock.monotonic())
    if (this.#sockets) this.#prober.start()
  }

  #found(seeds: readonly SeedAddress[]): void {
    if (!this.#sockets) return
    const own = this.#sockets.own.address()
    const others = seeds.filter(({ host, port }) => host !== own.address || port !== own.port)
    if (others.length === 0 && seeds.length === 0 && [...this.#reach.all].length === 0) return
    this.#reach.seeds(others, this.#clock.monotonic())
    this.#prober.start()
  }

  async connect({ host, streamPort }: TransportAddress): Promise<TransportStream> {
    if (!this.#sockets) throw new MeshError('the transport is closed')
    const socket = connectTcp({ host, port: streamPort, localAddress: this.#options.via.address, allowHalfOpen: true })
    const failed = (cause?: unknown) => new MeshError(`no stream to ${host}:${streamPort}`, { cause })
    try {
      await timeLimit(
        this.#clock,
        CONNECT_MS_MAX,
        () => once(socket, 'connect'),
        () => {
          throw failed()
        },
      )
      return this.#stream(socket)
    } catch (error) {
      socket.destroy()
      throw error instanceof MeshError ? error : failed(error)
    }
  }

  #stream(socket: Socket): TransportStream {
    const stream = new SocketStream(socket, () => this.#open.delete(stream))
    this.#open.add(stream)
    return stream
  }

  async close(): Promise<void> {
    const sockets = this.#sockets
    if (!sockets) return
    this.#sockets = undefined
    this.#seeds.close()
    this.#prober.close()
    for (const stream of this.#open) stream.destroy()
    sockets.own.close()
    sockets.group?.close()
    await new Promise<void>((resolve) => sockets.streams.close(() => resolve()))
  }
}

const CONNECT_MS_MAX = 2000
