/**
 * What was sent last, sealed as it went out, for repair. Bounded in datagrams and in bytes: what is below `low` is gone,
 * and who misses it has to compare states.
 *
 * Each place remembers when, and for whom, it was last repaired: several requests for one loss make one repair.
 */
export class SentRing {
  /** The sequence number of the last datagram; 0 before the first. */
  highest = 0
  /** The lowest sequence number that can still be repaired. */
  low = 1
  /** What the datagrams in the ring take. */
  bytes = 0
  readonly #capacity: number
  readonly #bytesMax: number
  readonly #datagrams: (Uint8Array | undefined)[]
  readonly #repairedAtMs: Float64Array
  readonly #repairedFor: Float64Array

  /** `capacity`: datagrams, a power of two. */
  constructor(capacity: number, bytesMax: number) {
    this.#capacity = capacity
    this.#bytesMax = bytesMax
    this.#datagrams = new Array(capacity).fill(undefined)
    this.#repairedAtMs = new Float64Array(capacity).fill(Number.NEGATIVE_INFINITY)
    this.#repairedFor = new Float64Array(capacity)
  }

  /** Keeps the datagram with the number `highest + 1`. */
  push(datagram: Uint8Array): void {
    const seq = ++this.highest
    const place = seq & (this.#capacity - 1)
    if (seq - this.low >= this.#capacity) this.#drop()
    this.#datagrams[place] = datagram
    this.#repairedAtMs[place] = Number.NEGATIVE_INFINITY
    this.bytes += datagram.length
    while (this.bytes > this.#bytesMax && this.low < seq) this.#drop()
  }

  /** The datagram, if it is still there. */
  get(seq: number): Uint8Array | undefined {
    return seq < this.low || seq > this.highest ? undefined : this.#datagrams[seq & (this.#capacity - 1)]
  }

  /**
   * Whom a repair that `asker` asks for goes to now: to it, to all (`EVERYONE`) when somebody else asked within
   * `lingerMs` too, or to nobody (`undefined`), because it is on its way.
   */
  repair(seq: number, asker: number, nowMs: number, lingerMs: number): number | undefined {
    const place = seq & (this.#capacity - 1)
    let to = asker
    if (nowMs - this.#repairedAtMs[place]! < lingerMs) {
      const before = this.#repairedFor[place]!
      if (before === asker || before === EVERYONE) return undefined
      to = EVERYONE
    }
    this.#repairedAtMs[place] = nowMs
    this.#repairedFor[place] = to
    return to
  }

  #drop(): void {
    const place = this.low++ & (this.#capacity - 1)
    this.bytes -= this.#datagrams[place]!.length
    this.#datagrams[place] = undefined
  }
}

/** All peers: a repair by multicast. No peer has this id. */
export const EVERYONE = 0
