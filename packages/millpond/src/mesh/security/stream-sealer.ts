import { type KeyObject, randomBytes } from 'node:crypto'
import { type Clock, timeLimit } from '../../core/clock.ts'
import { MeshError } from '../../core/errors.ts'
import type { TransportStream } from '../../core/transport.ts'
import type { LinkStream, PeerId } from '../link/link.ts'
import { readPeerId, writePeerId } from '../wire/packet.ts'
import { FrameCipher } from './frame-cipher.ts'
import { clusterId, deriveKey, type Keyring } from './keyring.ts'
import { SealedStream } from './sealed-stream.ts'
import { StreamBytes } from './stream-bytes.ts'

/**
 * Turns a stream of bytes into a sealed stream of messages between two peers.
 *
 *     opener    u16 "MS", u8 version, u8 key id, u32 cluster, u64 from, u64 to, 16 random bytes, a frame
 *     acceptor  16 random bytes, a frame
 *
 * Keys of each direction are derived from the shared key and all of this. The first frame of each side is empty: it proves that
 * its sender has the key and lives now, as the other's random bytes are in it. Then come messages.
 */
export class StreamSealer {
  readonly #self: PeerId
  readonly #cluster: number
  readonly #clock: Clock
  #keyring: Keyring

  constructor(self: PeerId, mesh: string, keyring: Keyring, clock: Clock) {
    this.#self = self
    this.#cluster = clusterId(mesh)
    this.#clock = clock
    this.#keyring = keyring
  }

  /** Opens with all of these from now on, seals with the first. */
  rotate(keyring: Keyring): void {
    this.#keyring = keyring
  }

  /** The opener's side. Rejects with `MeshError`, and destroys the stream, where the other end is not that peer or is silent for 5 s. */
  async open(stream: TransportStream, to: PeerId): Promise<LinkStream> {
    return await this.#within(stream, async () => {
      const bytes = new StreamBytes(stream)
      const hello = Buffer.alloc(HELLO_BYTES)
      const { first } = this.#keyring
      hello.writeUInt16LE(MAGIC, 0)
      hello[2] = VERSION
      hello[3] = first?.id ?? 0
      hello.writeUInt32LE(this.#cluster, 4)
      writePeerId(hello, this.#self, 8)
      writePeerId(hello, to, 16)
      hello.set(randomBytes(RANDOM_BYTES), 24)
      await stream.write(hello)
      const answer = await bytes.take(RANDOM_BYTES)
      if (answer === undefined) throw new MeshError('the peer refused the stream')
      const { out, back } = directions(first?.secret, hello, answer)
      return await greeted(stream, bytes, new FrameCipher(out), new FrameCipher(back))
    })
  }

  /** The acceptor's side: who opened the stream, and the stream. Rejects, and destroys it, where that is no member of this mesh. */
  async accept(stream: TransportStream): Promise<{ readonly from: PeerId; readonly stream: LinkStream }> {
    return await this.#within(stream, async () => {
      const bytes = new StreamBytes(stream)
      const hello = await bytes.take(HELLO_BYTES)
      if (hello === undefined || !this.#isForUs(hello)) throw new MeshError('a stream was not of this mesh')
      const from = readPeerId(hello, 8)
      const answer = randomBytes(RANDOM_BYTES)
      await stream.write(answer)
      const { out, back } = directions(this.#keyring.get(hello[3]!)?.secret, hello, answer)
      return { from, stream: await greeted(stream, bytes, new FrameCipher(back), new FrameCipher(out)) }
    })
  }

  #isForUs(hello: Buffer): boolean {
    return (
      hello.readUInt16LE(0) === MAGIC &&
      hello[2] === VERSION &&
      hello.readUInt32LE(4) === this.#cluster &&
      readPeerId(hello, 16) === this.#self &&
      (this.#keyring.first ? this.#keyring.get(hello[3]!) !== undefined : hello[3] === 0)
    )
  }

  /** What `work` gives, in 5 s; else the stream is destroyed. */
  async #within<T>(stream: TransportStream, work: () => Promise<T>): Promise<T> {
    try {
      return await timeLimit(this.#clock, HANDSHAKE_MS_MAX, work, () => {
        throw new MeshError('the other end of a stream is silent')
      })
    } catch (error) {
      stream.destroy()
      throw error
    }
  }
}

/** The keys of both directions, or none. */
function directions(
  secret: KeyObject | undefined,
  hello: Uint8Array,
  answer: Uint8Array,
): { readonly out: KeyObject | undefined; readonly back: KeyObject | undefined } {
  if (secret === undefined) return { out: undefined, back: undefined }
  return { out: deriveKey(secret, answer, 'stream out', hello), back: deriveKey(secret, answer, 'stream back', hello) }
}

/** Exchanges the empty first frames. */
async function greeted(
  stream: TransportStream,
  bytes: StreamBytes,
  out: FrameCipher,
  incoming: FrameCipher,
): Promise<LinkStream> {
  const sealed = new SealedStream(stream, bytes, out, incoming)
  await sealed.write(NOTHING)
  const first = await sealed.read()
  if (first?.length !== 0) throw new MeshError('the other end of a stream has another key')
  return sealed
}

const MAGIC = 0x534d
const VERSION = 1
const RANDOM_BYTES = 16
const HELLO_BYTES = 24 + RANDOM_BYTES
const HANDSHAKE_MS_MAX = 5000
const NOTHING = new Uint8Array(0)
