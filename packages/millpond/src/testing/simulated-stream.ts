import type { TransportStream } from '../core/transport.ts'
import type { SimulatedHost } from './simulated-host.ts'
import { drawDelayMs } from './simulated-link.ts'
import type { SimulatedNetwork } from './simulated-network.ts'

/** How much is on its way before a writer waits, as in a kernel's buffers. */
const WINDOW_BYTES = 256 * 1024
/** How often a stream asks whether the way is free again. */
const BLOCKED_RETRY_MS = 50

/** Two ends of a stream between two hosts. */
export function streamPair(
  network: SimulatedNetwork,
  one: SimulatedHost,
  other: SimulatedHost,
): readonly [SimulatedStream, SimulatedStream] {
  const here = new SimulatedStream(network, one, other)
  const there = new SimulatedStream(network, other, one)
  here.peer = there
  there.peer = here
  return [here, there]
}

/** Something on its way; without bytes it is the end. */
interface Piece {
  readonly bytes: Uint8Array | undefined
  readonly atMs: number
}

/**
 * One end of a simulated stream: pieces arrive in order after the link's delay, at most as fast as the link lets streams
 * be. In a partition they wait, as TCP would try again; when a host dies the other end breaks.
 */
export class SimulatedStream implements TransportStream {
  peer: SimulatedStream | undefined
  readonly #network: SimulatedNetwork
  readonly #host: SimulatedHost
  readonly #other: SimulatedHost
  readonly #outgoing: Piece[] = []
  #outgoingBytes = 0
  #carriedBytes = 0
  /** When the line has taken all that was written, and when the last of it arrives. */
  #lineFreeMs = 0
  #arrivedMs = 0
  readonly #incoming: (Uint8Array | undefined)[] = []
  #wakeReader: (() => void) | undefined
  #wakeWriters: (() => void)[] = []
  #broken: Error | undefined
  #ended = false

  constructor(network: SimulatedNetwork, host: SimulatedHost, other: SimulatedHost) {
    this.#network = network
    this.#host = host
    this.#other = other
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#broken) throw this.#broken
    if (this.#ended) throw new Error('the stream has ended')
    this.#send(Uint8Array.from(bytes))
    while (this.#outgoingBytes + (this.peer?.unreadBytes ?? 0) > WINDOW_BYTES && !this.#broken) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve))
    }
    if (this.#broken) throw this.#broken
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#incoming.length === 0) {
      if (this.#broken) throw this.#broken
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
    if (this.#incoming[0] === undefined) return undefined
    const bytes = this.#incoming.shift()
    this.peer?.wakeWriters()
    return bytes
  }

  end(): void {
    if (this.#ended || this.#broken) return
    this.#ended = true
    this.#send(undefined)
  }

  destroy(): void {
    this.cut()
  }

  /** Breaks both ends now. */
  cut(): void {
    this.break()
    this.peer?.break()
  }

  /** This end breaks: whoever reads or writes is told. What arrived whole before an end was seen can still be read. */
  break(): void {
    if (this.#broken) return
    this.#broken = new Error('the stream broke')
    this.#outgoing.length = 0
    this.#host.whenRunning(() => {
      this.#wakeReader?.()
      this.wakeWriters()
    })
  }

  /** Its machine vanished: nothing goes out any more, and nobody tells the other end. */
  freeze(): void {
    this.#outgoing.length = 0
  }

  get unreadBytes(): number {
    let bytes = 0
    for (const piece of this.#incoming) bytes += piece?.length ?? 0
    return bytes
  }

  wakeWriters(): void {
    for (const wake of this.#wakeWriters.splice(0)) this.#host.whenRunning(wake)
  }

  #send(bytes: Uint8Array | undefined): void {
    const { clock, random } = this.#network
    const link = this.#network.linkOf(this.#host, this.#other)
    const length = bytes?.length ?? 0
    this.#lineFreeMs = Math.max(this.#lineFreeMs, clock.monotonic()) + length / link.streamBytesPerMs
    this.#arrivedMs = Math.max(this.#arrivedMs, this.#lineFreeMs + drawDelayMs(link, random))
    this.#outgoing.push({ bytes, atMs: this.#arrivedMs })
    this.#outgoingBytes += length
    if (this.#outgoing.length === 1) this.#expect(this.#arrivedMs)
  }

  #expect(atMs: number): void {
    this.#network.later(Math.max(0, atMs - this.#network.clock.monotonic()), () => this.#carry())
  }

  /** Hands the first piece to the other end, or waits until the way is free. */
  #carry(): void {
    if (this.#outgoing.length === 0) return
    const link = this.#network.linkOf(this.#host, this.#other)
    if (link.blocked) {
      this.#network.later(BLOCKED_RETRY_MS, () => this.#carry())
      return
    }
    const { bytes } = this.#outgoing[0]!
    const length = bytes?.length ?? 0
    this.#carriedBytes += length
    if (this.#carriedBytes > link.streamBytesMax) {
      this.cut()
      return
    }
    this.#outgoing.shift()
    this.#outgoingBytes -= length
    this.#host.counts.streamBytes += length
    this.peer?.deliver(bytes)
    this.wakeWriters()
    if (this.#outgoing.length > 0) this.#expect(this.#outgoing[0]!.atMs)
  }

  /** A piece has arrived. */
  deliver(piece: Uint8Array | undefined): void {
    if (this.#broken) return
    this.#incoming.push(piece)
    this.#host.whenRunning(() => this.#wakeReader?.())
  }
}
