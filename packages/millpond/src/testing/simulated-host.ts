import type { Clock } from '../core/clock.ts'
import type { TransportAddress } from '../core/transport.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import { SimulatedTransport } from './simulated-transport.ts'

/** How a host is. */
export interface SimulatedHostOptions {
  /** Its IP address; several processes may have the same. Default: one of its own. */
  readonly host?: string
  /** Where there is no multicast: who is sent to besides those that are known. Default: nobody. */
  readonly seeds?: readonly TransportAddress[]
  /** `Transport.datagramBytesMax` at the start. Default: 1,400. */
  readonly datagramBytesMax?: number
  /**
   * How much its socket keeps until the process reads it; more is dropped, as kernels do. Each datagram counts 768 bytes
   * more than its length, as on Linux. Default: without bound.
   */
  readonly receiveBytesMax?: number
  /** How many datagrams the process takes from its socket in a millisecond. Default: without bound. */
  readonly datagramsPerMs?: number
}

/** What became of what a host sent (`sent` to `blocked`) and of what came for it (`received`, `overflowed`). */
export interface SimulatedCounts {
  /** Datagrams to all count once for each host that they go to. */
  sent: number
  lost: number
  duplicated: number
  reordered: number
  corrupted: number
  /** Sent into a partition, to nobody, or too long for the link. */
  blocked: number
  received: number
  /** Dropped because the socket's buffer was full. */
  overflowed: number
  /** Bytes that its streams have delivered to others. */
  streamBytes: number
}

/**
 * A process of a simulated network: a transport, and a clock whose timers stand still with the process and die with it.
 * The clock's hands go on meanwhile, and its wall may be wrong.
 */
export class SimulatedHost {
  readonly id: number
  readonly address: TransportAddress
  readonly transport: SimulatedTransport
  readonly clock: Clock
  readonly counts: SimulatedCounts = {
    sent: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    blocked: 0,
    received: 0,
    overflowed: 0,
    streamBytes: 0,
  }
  readonly #waiting: (() => void)[] = []
  #state: 'running' | 'paused' | 'crashed' = 'running'
  #wallSkewMs = 0

  constructor(network: SimulatedNetwork, id: number, options: SimulatedHostOptions) {
    this.id = id
    const host = options.host ?? `10.0.${id >> 8}.${id & 255}`
    this.address = { host, port: 20_000 + id, streamPort: 30_000 + id }
    this.transport = new SimulatedTransport(network, this, options)
    const { clock } = network
    this.clock = {
      monotonic: () => clock.monotonic(),
      wall: () => clock.wall() + this.#wallSkewMs,
      after: (delayMs, run) => {
        let cancelled = false
        const timer = clock.after(delayMs, () => this.whenRunning(() => cancelled || run()))
        return {
          cancel() {
            cancelled = true
            timer.cancel()
          },
        }
      },
    }
  }

  get running(): boolean {
    return this.#state === 'running'
  }

  /** Its wall clock is wrong by so much from now on. */
  skewWall(ms: number): void {
    this.#wallSkewMs = ms
  }

  /** The process stands still, as after SIGSTOP or in a long turn of its event loop. What comes for it waits in its buffers. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  /** It goes on: what waited happens now, in its order. */
  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'running'
    for (const action of this.#waiting.splice(0)) this.whenRunning(action)
    this.transport.read()
  }

  /** The process is killed: nothing of it happens any more. Its streams break, unless the whole machine vanished `silently`. */
  crash(silently = false): void {
    this.#state = 'crashed'
    this.#waiting.length = 0
    this.transport.vanish(silently)
  }

  /** Does it now, when the process goes on, or never. */
  whenRunning(action: () => void): void {
    if (this.#state === 'running') action()
    else if (this.#state === 'paused') this.#waiting.push(action)
  }
}
