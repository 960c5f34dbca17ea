import type { Transport, TransportAddress } from '../../core/transport.ts'
import type { PacketSealer } from '../security/packet-sealer.ts'
import type { Peer } from './peer.ts'
import type { SentRing } from './sent-ring.ts'

/**
 * Seals bodies and sends them. Bodies are written into `scratch`, which is used again for the next one; every packet says
 * what was sent last and how far back it can be repaired.
 */
export class Outbox {
  /** Where a body is written before it is posted. */
  readonly scratch: Buffer = Buffer.alloc(SCRATCH_BYTES)
  readonly #transport: Transport
  readonly #sealer: PacketSealer
  readonly #ring: SentRing

  constructor(transport: Transport, sealer: PacketSealer, ring: SentRing) {
    this.#transport = transport
    this.#sealer = sealer
    this.#ring = ring
  }

  /** The longest body of a datagram now. */
  get bodyBytesMax(): number {
    return Math.min(SCRATCH_BYTES, this.#transport.datagramBytesMax - this.#sealer.overheadBytes)
  }

  /** Sends the first `length` bytes of `scratch` to all. */
  toAll(type: number, flags: number, length: number): void {
    this.#transport.send(this.#seal(type, flags, this.#ring.highest, this.scratch.subarray(0, length)))
  }

  /** Sends the first `length` bytes of `scratch` to one peer, who alone can open it. */
  to(peer: Pick<Peer, 'id' | 'address'>, type: number, flags: number, length: number): void {
    const body = this.scratch.subarray(0, length)
    this.#transport.send(this.#seal(type, flags, this.#ring.highest, body, peer.id), peer.address)
  }

  /** Sends a body to all as the next in the sequence, and keeps it. Returns the bytes of the datagram. */
  next(type: number, body: Uint8Array): number {
    const datagram = this.#seal(type, 0, this.#ring.highest + 1, body)
    this.#ring.push(datagram)
    this.#transport.send(datagram)
    return datagram.length
  }

  /** Sends a kept datagram again. */
  again(datagram: Uint8Array, to: TransportAddress | undefined): void {
    this.#transport.send(datagram, to)
  }

  #seal(type: number, flags: number, sequence: number, body: Uint8Array, to?: number): Uint8Array {
    const depth = Math.min(DEPTH_MAX, Math.max(0, sequence - this.#ring.low))
    return this.#sealer.seal(type, flags, sequence >>> 0, depth, body, to)
  }
}

/** The longest body of any datagram. */
const SCRATCH_BYTES = 65_507
const DEPTH_MAX = 0xffff

/** The sequence number that the lower 32 bits in a head mean: the one nearest to a number that is known. */
export function wholeSequence(near: number, low: number): number {
  return Math.max(0, near + ((low - near) | 0))
}
