import { type KeyObject, randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import type { PeerId } from '../link/link.ts'
import { emptyHead, HEAD_BYTES, PacketFlags, type PacketHead, readHead, writeHead } from '../wire/packet.ts'
import { Challenge } from './challenge.ts'
import { Incarnation, Incarnations, packetKey } from './incarnations.ts'
import { clusterId, type Keyring } from './keyring.ts'
import { CHECKSUM_BYTES, PacketCipher, TAG_BYTES } from './packet-cipher.ts'
import { TokenBucket } from './token-bucket.ts'

/** A packet that was authentic and new. The object is reused by the next `open`; the body's bytes are not. */
export interface OpenPacket extends Readonly<PacketHead> {
  readonly body: Buffer
  /** Whether it was meant for this process alone. */
  readonly direct: boolean
  /** Whether the sender has answered our challenge. Until then it may be a recording: only its hello counts. */
  readonly proven: boolean
}

/** What became of datagrams: opened, or why not. */
export interface PacketCounts {
  sealed: number
  opened: number
  /** Our own, by loopback. */
  own: number
  /** No packet, or of another version. */
  malformed: number
  /** Of another mesh on the same network. */
  otherMesh: number
  /** Seen before, or older than the window. */
  replayed: number
  /** Sealed where we have no key, or the other way round. */
  wrongMode: number
  /** Sealed with a key that is not in our ring. */
  unknownKey: number
  /** Damaged or forged. */
  forged: number
  /** From senders never heard before, more than are looked at. */
  limited: number
}

/**
 * Seals what this process sends into datagrams, and opens what came: what is damaged, forged, of another mesh or seen
 * before goes no further, at a bounded price, and only senders that exist are remembered. `open` never throws.
 *
 * Each process life has keys of its own, derived from the shared ones and its random id; its packet numbers are the
 * nonces, so none is ever used twice. See DESIGN.md, security.
 */
export class PacketSealer {
  /** How much longer than its body a datagram is. */
  readonly overheadBytes: number
  readonly self: PeerId
  readonly counts: PacketCounts = {
    sealed: 0,
    opened: 0,
    own: 0,
    malformed: 0,
    otherMesh: 0,
    replayed: 0,
    wrongMode: 0,
    unknownKey: 0,
    forged: 0,
    limited: 0,
  }
  readonly #cluster: number
  readonly #salt = randomBytes(2).readUInt16LE(0)
  readonly #cipher = new PacketCipher()
  readonly #challenge: Challenge
  readonly #strangers: TokenBucket
  readonly #known = new Incarnations()
  readonly #head: PacketHead = emptyHead()
  readonly #came: { -readonly [Field in keyof OpenPacket]: OpenPacket[Field] } = {
    ...emptyHead(),
    body: Buffer.alloc(0),
    direct: false,
    proven: false,
  }
  #keyring: Keyring
  #key: KeyObject | undefined
  #keyId = 0
  #number = 0

  /** @param mesh the name of the mesh: others on the same network are filtered by it */
  constructor(self: PeerId, mesh: string, keyring: Keyring, clock: Clock) {
    this.self = self
    this.#cluster = clusterId(mesh)
    this.#challenge = new Challenge(clock)
    this.#strangers = new TokenBucket(clock, STRANGERS_PER_SECOND)
    this.#keyring = keyring
    this.overheadBytes = HEAD_BYTES + (keyring.first ? TAG_BYTES : CHECKSUM_BYTES)
    this.rotate(keyring)
  }

  /** Seals with the first of these keys from now on, and opens with all. A mesh cannot turn from sealed to not, nor back. */
  rotate(keyring: Keyring): void {
    const { first } = keyring
    this.#keyring = keyring
    this.#key = first && packetKey(first, this.self, this.#salt)
    this.#keyId = first?.id ?? 0
  }

  /**
   * A fresh datagram. `flags` may use the bits that `PacketFlags` does not. `to`: only this peer can open it.
   * The datagram may be sent again as it is: who has it already drops it unopened.
   */
  seal(type: number, flags: number, sequence: number, depth: number, body: Uint8Array, to?: PeerId): Buffer {
    const head = this.#head
    const key = this.#key
    head.type = type
    head.flags = flags | (key ? PacketFlags.sealed : 0) | (to === undefined ? 0 : PacketFlags.direct)
    head.keyId = this.#keyId
    head.depth = depth
    head.cluster = this.#cluster
    head.number = ++this.#number
    head.salt = this.#salt
    head.from = this.self
    head.sequence = sequence
    const datagram = Buffer.allocUnsafe(this.overheadBytes + body.length)
    writeHead(datagram, head)
    this.#cipher.seal(key, head.number, body, datagram, to)
    this.counts.sealed++
    return datagram
  }

  /** The packet in a datagram, or `undefined`: then it has no effect but on `counts`. */
  open(datagram: Uint8Array): OpenPacket | undefined {
    const bytes = Buffer.isBuffer(datagram)
      ? datagram
      : Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength)
    const came = this.#came
    if (bytes.length < this.overheadBytes || !readHead(bytes, came)) return this.#drop('malformed')
    if (came.cluster !== this.#cluster) return this.#drop('otherMesh')
    if (came.from === this.self) return this.#drop('own')
    if (((came.flags & PacketFlags.sealed) !== 0) !== (this.#key !== undefined)) return this.#drop('wrongMode')
    const known = this.#known.get(came.from)
    if (known ? known.salt !== came.salt || known.window.has(came.number) : false) return this.#drop('replayed')
    if (!known && !this.#strangers.take()) return this.#drop('limited')
    const sender = known ?? new Incarnation(came.from, came.salt)
    const body = this.#openBody(sender, bytes)
    if (body === undefined) return undefined
    if (!known) this.#known.add(sender)
    sender.window.add(came.number)
    this.counts.opened++
    came.body = body
    came.direct = (came.flags & PacketFlags.direct) !== 0
    came.proven = sender.proven
    return came
  }

  #openBody(sender: Incarnation, bytes: Buffer): Buffer | undefined {
    const { number, keyId } = this.#came
    const ringKey = this.#keyring.get(keyId)
    if (this.#key !== undefined && ringKey === undefined) return this.#drop('unknownKey')
    return this.#cipher.open(ringKey && sender.key(ringKey), number, bytes, this.self) ?? this.#drop('forged')
  }

  /** 16 bytes for a peer to send back in a packet of its own, so that it proves that it lives. */
  challenge(peer: PeerId): Uint8Array {
    return this.#challenge.of(peer)
  }

  /** Whether a peer, of whom a packet was just opened, has answered its challenge; from then on it is `proven`. */
  prove(peer: PeerId, echo: Uint8Array): boolean {
    const answered = this.#challenge.isAnswered(peer, echo)
    if (answered) this.#known.prove(peer)
    return answered
  }

  /** Forgets a peer that is dead: should it come back, it has to prove itself again. */
  forget(peer: PeerId): void {
    this.#known.delete(peer)
  }

  /** How many senders are remembered. */
  get senders(): number {
    return this.#known.size
  }

  #drop(reason: Exclude<keyof PacketCounts, 'sealed' | 'opened'>): undefined {
    this.counts[reason]++
    return undefined
  }
}

/** Each costs 12 µs, so a flood of strangers takes 1.2 % of a core. */
const STRANGERS_PER_SECOND = 1000
