import type { Transport, TransportAddress, TransportReceiver, TransportStream } from '../core/transport.ts'
import type { SimulatedHost, SimulatedHostOptions } from './simulated-host.ts'
import { drawDelayMs } from './simulated-link.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import { type SimulatedStream, streamPair } from './simulated-stream.ts'

/** What Linux accounts for a small datagram besides its bytes. */
const DATAGRAM_OVERHEAD_BYTES = 768
/** How long a stream to nobody is tried. */
const CONNECT_MS_MAX = 1000

/** The transport of a simulated host, with the buffer of its socket. */
export class SimulatedTransport implements Transport {
  /** May be set, as if the path had been measured. */
  datagramBytesMax: number
  /** See `SimulatedHostOptions`. May be set at any time, as `datagramsPerMs`. */
  receiveBytesMax: number
  datagramsPerMs: number
  readonly #network: SimulatedNetwork
  readonly #host: SimulatedHost
  readonly #seeds: readonly TransportAddress[]
  readonly #streams = new Set<SimulatedStream>()
  readonly #buffer: { readonly bytes: Uint8Array; readonly from: TransportAddress }[] = []
  #bufferBytes = 0
  #nextReadMs = 0
  #reads = false
  #known: readonly TransportAddress[] = []
  #receiver: TransportReceiver | undefined

  constructor(network: SimulatedNetwork, host: SimulatedHost, options: SimulatedHostOptions) {
    this.#network = network
    this.#host = host
    this.#seeds = options.seeds ?? []
    this.datagramBytesMax = options.datagramBytesMax ?? 1400
    this.receiveBytesMax = options.receiveBytesMax ?? Number.POSITIVE_INFINITY
    this.datagramsPerMs = options.datagramsPerMs ?? Number.POSITIVE_INFINITY
  }

  /** Whether it listens: it was opened, and neither closed nor killed. */
  get listens(): boolean {
    return this.#receiver !== undefined
  }

  async open(receiver: TransportReceiver): Promise<TransportAddress> {
    this.#receiver = receiver
    return this.#host.address
  }

  know(peers: readonly TransportAddress[]): void {
    this.#known = [...peers]
  }

  send(datagram: Uint8Array, to?: TransportAddress): void {
    if (!this.#receiver) return
    for (const host of to ? [this.#network.at(to)] : this.#everybody()) {
      this.#host.counts.sent++
      if (host) this.#network.carry(this.#host, host, datagram)
      else this.#host.counts.blocked++
    }
  }

  #everybody(): Iterable<SimulatedHost | undefined> {
    if (this.#network.multicast) return this.#network.hosts.filter(({ transport }) => transport.listens)
    const addresses = new Map([...this.#seeds, ...this.#known].map((to) => [`${to.host}:${to.port}`, to]))
    return [...addresses.values()].map((address) => this.#network.at(address))
  }

  /** A datagram comes to the socket. */
  arrive(bytes: Uint8Array, from: TransportAddress): void {
    if (!this.#receiver) return
    const accounted = bytes.length + DATAGRAM_OVERHEAD_BYTES
    if (this.#bufferBytes + accounted > this.receiveBytesMax) return void this.#host.counts.overflowed++
    this.#bufferBytes += accounted
    this.#buffer.push({ bytes, from })
    this.read()
  }

  /** The process takes from the socket what is there, as fast as it can. */
  read(): void {
    if (this.#reads) return
    this.#reads = true
    while (this.#buffer.length > 0 && this.#host.running) {
      const nowMs = this.#network.clock.monotonic()
      if (this.#nextReadMs > nowMs) {
        this.#network.later(this.#nextReadMs - nowMs, () => this.#readOn())
        return
      }
      this.#nextReadMs = nowMs + 1 / this.datagramsPerMs
      const { bytes, from } = this.#buffer.shift()!
      this.#bufferBytes -= bytes.length + DATAGRAM_OVERHEAD_BYTES
      this.#host.counts.received++
      this.#receiver?.datagram(bytes, from.host, from.port)
    }
    this.#reads = false
  }

  #readOn(): void {
    this.#reads = false
    this.read()
  }

  async connect(to: TransportAddress): Promise<TransportStream> {
    const limitMs = this.#network.clock.monotonic() + CONNECT_MS_MAX
    for (;;) {
      const peer = this.#network.at(to)
      const link = peer && this.#network.linkOf(this.#host, peer)
      const back = peer && this.#network.linkOf(peer, this.#host)
      const blocked = !link || !back || link.blocked || back.blocked
      if (!this.#receiver) throw new Error('the transport is closed')
      if (this.#network.clock.monotonic() >= limitMs) throw new Error(`no answer from ${to.host}:${to.streamPort}`)
      if (!blocked && !peer.transport.listens) throw new Error(`${to.host}:${to.streamPort} refused`)
      const { random } = this.#network
      const waitMs = blocked ? 100 : drawDelayMs(link, random) + drawDelayMs(back, random)
      await new Promise<void>((resolve) => this.#network.later(waitMs, () => this.#host.whenRunning(resolve)))
      if (!blocked && peer.transport.listens) return this.#join(peer)
    }
  }

  #join(peer: SimulatedHost): TransportStream {
    const [own, other] = streamPair(this.#network, this.#host, peer)
    this.#streams.add(own)
    peer.transport.accept(other)
    return own
  }

  /** Somebody has opened a stream to this host. */
  accept(stream: SimulatedStream): void {
    this.#streams.add(stream)
    this.#host.whenRunning(() => this.#receiver?.stream(stream))
  }

  /** Breaks its streams, at both ends. */
  cutStreams(): void {
    for (const stream of this.#streams) stream.cut()
    this.#streams.clear()
  }

  /** Its process is gone; where a whole machine vanished, nobody tells the other ends of its streams. */
  vanish(silently: boolean): void {
    this.#receiver = undefined
    this.#buffer.length = 0
    this.#bufferBytes = 0
    if (silently) for (const stream of this.#streams) stream.freeze()
    else this.cutStreams()
  }

  async close(): Promise<void> {
    this.vanish(false)
  }
}
