import { isDeepStrictEqual } from 'node:util'
import type { SeedAddress } from './seeds.ts'
import { DATAGRAM_BYTES_MIN } from './udp-options.ts'

/** What is known of one address: whether it is a peer, answers, hears the group, and how long a datagram it takes. */
export interface Reached {
  readonly host: string
  readonly port: number
  /** A living peer, as the link says. */
  known: boolean
  /** One of the seeds. */
  seed: boolean
  /** When it last answered at all, and a question to the group: -Infinity if never. */
  answeredMs: number
  heardGroupMs: number
  /** The longest datagram that is proven to reach it. */
  bytes: number
  /** When its path is to be measured again. */
  measureAtMs: number
}

/** Answers hold for so long: a switch that forgets the group's members is noticed within it. */
export const GROUP_PROOF_MS = 15_000
/** A seed that answered is taken for a member for so long. */
const SEED_PROOF_MS = 10_000

/** Whom a datagram to all has to be sent to: recomputed when something changes, so that sending is a loop over a list. */
export class Reach {
  readonly #mode: 'auto' | 'multicast' | 'fan-out'
  readonly #all = new Map<string, Reached>()
  /** Those that get a datagram of their own. */
  targets: readonly Reached[] = []
  /** Whether the group gets one. */
  group: boolean
  /** The longest datagram that every known peer takes, as far as is proven. */
  bytes: number = DATAGRAM_BYTES_MIN

  constructor(mode: 'auto' | 'multicast' | 'fan-out') {
    this.#mode = mode
    this.group = mode !== 'fan-out'
  }

  get all(): Iterable<Reached> {
    return this.#all.values()
  }

  at(host: string, port: number): Reached | undefined {
    return this.#all.get(`${host} ${port}`)
  }

  know(peers: readonly SeedAddress[], nowMs: number): void {
    this.#mark('known', peers, nowMs)
  }

  seeds(addresses: readonly SeedAddress[], nowMs: number): void {
    this.#mark('seed', addresses, nowMs)
  }

  #mark(as: 'known' | 'seed', addresses: readonly SeedAddress[], nowMs: number): void {
    for (const reached of this.#all.values()) reached[as] = false
    for (const { host, port } of addresses) {
      const known = this.at(host, port)
      if (known) known[as] = true
      else this.#all.set(`${host} ${port}`, { ...unreached(host, port), [as]: true })
    }
    for (const [key, { known, seed }] of this.#all) if (!known && !seed) this.#all.delete(key)
    this.update(nowMs)
  }

  /** Computes `targets`, `group` and `bytes` again. */
  update(nowMs: number): void {
    const members = [...this.#all.values()].filter(
      ({ known, seed, answeredMs }) => known || (seed && nowMs - answeredMs < SEED_PROOF_MS),
    )
    const hears = ({ heardGroupMs }: Reached) => nowMs - heardGroupMs < GROUP_PROOF_MS
    const known = members.filter((member) => member.known)
    this.group = this.#mode === 'multicast' || (this.#mode === 'auto' && (known.length === 0 || known.some(hears)))
    const targets =
      this.#mode === 'multicast' ? [] : this.#mode === 'auto' ? members.filter((one) => !hears(one)) : members
    if (!isDeepStrictEqual(targets, this.targets)) this.targets = targets
    this.bytes = known.length === 0 ? DATAGRAM_BYTES_MIN : Math.min(...known.map(({ bytes }) => bytes))
  }
}

function unreached(host: string, port: number): Reached {
  const never = Number.NEGATIVE_INFINITY
  return {
    host,
    port,
    known: false,
    seed: false,
    answeredMs: never,
    heardGroupMs: never,
    bytes: DATAGRAM_BYTES_MIN,
    measureAtMs: never,
  }
}
