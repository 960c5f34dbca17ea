import type { Clock, Timer } from '../core/clock.ts'
import { type Random, seededRandom } from '../core/random.ts'
import type { TransportAddress } from '../core/transport.ts'
import { type SimulatedCounts, SimulatedHost, type SimulatedHostOptions } from './simulated-host.ts'
import { drawDelayMs, PERFECT_LINK, type SimulatedLink, type WholeLink } from './simulated-link.ts'

/** How a network is. */
export interface SimulatedNetworkOptions {
  /** The same seed, clock and calls give the same run. */
  readonly seed: number
  /** How every link behaves that nothing else is said of. Default: without faults, 0.1 ms one way. */
  readonly link?: SimulatedLink
  /** Whether a datagram to all reaches every host, its sender too, or only who the sender knows. Default: true. */
  readonly multicast?: boolean
}

/**
 * A network of hosts in one process, on a clock that a test drives: datagrams that are lost, doubled, late, out of order
 * and damaged; hosts that stand still, drown and die; partitions; streams that are slow and break. What happens is
 * drawn from the seed alone.
 *
 * How it works: what is on its way stands in a heap by the time of its arrival, with one timer of the clock for the
 * first, so that thousands of datagrams in flight do not weigh on the clock. Links are looked up when something is
 * sent: what is on its way arrives even if the link is cut meanwhile. Streams ask at each piece.
 */
export class SimulatedNetwork {
  readonly clock: Clock
  readonly random: Random
  readonly multicast: boolean
  readonly #hosts: SimulatedHost[] = []
  readonly #links = new Map<string, SimulatedLink>()
  readonly #flights = new FlightHeap()
  #timer: Timer | undefined
  #timerMs = Number.POSITIVE_INFINITY
  #everywhere: WholeLink
  #blocked = new Set<string>()

  constructor(clock: Clock, options: SimulatedNetworkOptions) {
    this.clock = clock
    this.random = seededRandom(options.seed)
    this.multicast = options.multicast ?? true
    this.#everywhere = { ...PERFECT_LINK, ...options.link }
  }

  /** Adds a host: one process with its transport and its clock. */
  host(options: SimulatedHostOptions = {}): SimulatedHost {
    const id = this.#hosts.length + 1
    const host = new SimulatedHost(this, id, options)
    this.#hosts.push(host)
    return host
  }

  /** Every host that was added, dead ones too. */
  get hosts(): readonly SimulatedHost[] {
    return this.#hosts
  }

  /** Sets how links behave: all, those from or to a host, or one. What is said of fewer links wins. */
  set(link: SimulatedLink, way: { readonly from?: SimulatedHost; readonly to?: SimulatedHost } = {}): void {
    const name = `${way.from?.id ?? ''}>${way.to?.id ?? ''}`
    if (name === '>') this.#everywhere = { ...this.#everywhere, ...link }
    else this.#links.set(name, { ...this.#links.get(name), ...link })
  }

  /** Cuts the network into groups that do not hear each other. Hosts that are not named are a group too. Replaces earlier ones. */
  partition(...groups: readonly (readonly SimulatedHost[])[]): void {
    this.heal()
    const groupOf = (host: SimulatedHost) => groups.findIndex((group) => group.includes(host))
    for (const from of this.#hosts)
      for (const to of this.#hosts) if (groupOf(from) !== groupOf(to)) this.#blocked.add(`${from.id}>${to.id}`)
  }

  /** Nothing goes from any of these to any of those any more; the other way stays as it is. */
  block(from: readonly SimulatedHost[], to: readonly SimulatedHost[]): void {
    for (const one of from) for (const other of to) if (one !== other) this.#blocked.add(`${one.id}>${other.id}`)
  }

  /** Ends every partition and block. */
  heal(): void {
    this.#blocked.clear()
  }

  /** Breaks every stream, or those of a host, at both ends. */
  cutStreams(host?: SimulatedHost): void {
    for (const one of host ? [host] : this.#hosts) one.transport.cutStreams()
  }

  /** What became of all datagrams and streams so far, over all hosts. */
  counts(): SimulatedCounts {
    const total: Record<string, number> = {}
    for (const { counts } of this.#hosts)
      for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count
    return total as unknown as SimulatedCounts
  }

  /** How the way from one host to another behaves now. */
  linkOf(from: SimulatedHost, to: SimulatedHost): WholeLink {
    const exact = `${from.id}>${to.id}`
    const link =
      this.#links.size === 0
        ? this.#everywhere
        : {
            ...this.#everywhere,
            ...this.#links.get(`>${to.id}`),
            ...this.#links.get(`${from.id}>`),
            ...this.#links.get(exact),
          }
    return this.#blocked.has(exact) ? { ...link, blocked: true } : link
  }

  /** The host of an address, dead or alive. */
  at(address: TransportAddress): SimulatedHost | undefined {
    return this.#hosts.find(({ address: own }) => own.host === address.host && own.port === address.port)
  }

  /** Sends a datagram on its way: the faults of the link happen here. */
  carry(from: SimulatedHost, to: SimulatedHost, datagram: Uint8Array): void {
    const link = this.linkOf(from, to)
    const { random } = this
    if (link.blocked || datagram.length > link.datagramBytesMax) return void from.counts.blocked++
    if (link.loss > 0 && random() < link.loss) return void from.counts.lost++
    const copies = link.duplication > 0 && random() < link.duplication ? 2 : 1
    from.counts.duplicated += copies - 1
    for (let copy = 0; copy < copies; copy++) {
      let delayMs = drawDelayMs(link, random)
      if (link.reordering > 0 && random() < link.reordering) {
        delayMs += link.reorderingMs * random()
        from.counts.reordered++
      }
      const bytes = Uint8Array.from(datagram)
      if (link.corruption > 0 && random() < link.corruption) {
        bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8)
        from.counts.corrupted++
      }
      this.later(delayMs, () => to.transport.arrive(bytes, from.address))
    }
  }

  /** Runs `action` after `delayMs`, in the order of the times, and of the calls for equal ones. */
  later(delayMs: number, action: () => void): void {
    const atMs = this.clock.monotonic() + delayMs
    this.#flights.push(atMs, action)
    this.#arm()
  }

  #arm(): void {
    const firstMs = this.#flights.firstMs
    if (firstMs >= this.#timerMs) return
    this.#timer?.cancel()
    this.#timerMs = firstMs
    this.#timer = this.clock.after(firstMs - this.clock.monotonic(), () => this.#land())
  }

  #land(): void {
    this.#timerMs = Number.POSITIVE_INFINITY
    const nowMs = this.clock.monotonic()
    while (this.#flights.firstMs <= nowMs) this.#flights.pop()()
    if (this.#flights.firstMs < Number.POSITIVE_INFINITY) this.#arm()
  }
}

interface Flight {
  readonly atMs: number
  readonly order: number
  readonly action: () => void
}

/** Who arrives first: a binary heap. */
class FlightHeap {
  readonly #flights: Flight[] = []
  #order = 0

  get firstMs(): number {
    return this.#flights[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  push(atMs: number, action: () => void): void {
    const flights = this.#flights
    const flight = { atMs, order: this.#order++, action }
    let at = flights.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(flight, flights[parent]!)) break
      flights[at] = flights[parent]!
      at = parent
    }
    flights[at] = flight
  }

  pop(): () => void {
    const flights = this.#flights
    const first = flights[0]!
    const last = flights.pop()!
    if (flights.length > 0) this.#sink(last)
    return first.action
  }

  #sink(flight: Flight): void {
    const flights = this.#flights
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= flights.length) break
      if (child + 1 < flights.length && before(flights[child + 1]!, flights[child]!)) child++
      if (!before(flights[child]!, flight)) break
      flights[at] = flights[child]!
      at = child
    }
    flights[at] = flight
  }
}

function before(one: Flight, other: Flight): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order)
}
