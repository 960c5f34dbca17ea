import { MeshError } from '../../core/errors.ts'
import type { TransportStream } from '../../core/transport.ts'
import type { LinkStream } from '../link/link.ts'
import { FRAME_HEAD_BYTES, type FrameCipher, readFrameHead } from './frame-cipher.ts'
import type { StreamBytes } from './stream-bytes.ts'

/** The longest message of a stream. A longer one is not even read. */
export const MESSAGE_BYTES_MAX: number = 1024 * 1024

/**
 * Messages over a stream of bytes, sealed: what was changed, left out, repeated or cut off on the way makes `read` reject and
 * ends the stream. Made by `StreamSealer`.
 */
export class SealedStream implements LinkStream {
  readonly #stream: TransportStream
  readonly #bytes: StreamBytes
  readonly #out: FrameCipher
  readonly #in: FrameCipher
  #ended = false
  #over = false

  constructor(stream: TransportStream, bytes: StreamBytes, out: FrameCipher, incoming: FrameCipher) {
    this.#stream = stream
    this.#bytes = bytes
    this.#out = out
    this.#in = incoming
  }

  async write(message: Uint8Array): Promise<void> {
    if (this.#ended) throw new MeshError('a stream was written to after its end')
    if (message.length > MESSAGE_BYTES_MAX)
      throw new MeshError(`a message of ${message.length} bytes does not go into a stream of ${MESSAGE_BYTES_MAX} each`)
    await this.#stream.write(this.#out.seal(message, false))
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#over) return undefined
    const head = await this.#bytes.take(FRAME_HEAD_BYTES)
    if (head === undefined) throw this.#broken('the stream was cut off')
    const { length, last } = readFrameHead(head)
    if (length > MESSAGE_BYTES_MAX) throw this.#broken('somebody meddled with the stream')
    const rest = await this.#bytes.take(length + this.#in.tagBytes)
    if (rest === undefined) throw this.#broken('the stream was cut off')
    const message = this.#in.open(head, rest)
    if (message === undefined) throw this.#broken('somebody meddled with the stream')
    this.#over = last
    return last ? undefined : message
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#stream.write(this.#out.seal(new Uint8Array(0), true)).catch(() => {})
    this.#stream.end()
  }

  destroy(): void {
    this.#ended = true
    this.#stream.destroy()
  }

  #broken(reason: string): MeshError {
    this.destroy()
    return new MeshError(reason)
  }
}
