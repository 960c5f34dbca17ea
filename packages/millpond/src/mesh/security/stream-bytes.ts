import type { TransportStream } from '../../core/transport.ts'

/** Takes exactly as many bytes from a stream as are asked for. One reader at a time. */
export class StreamBytes {
  readonly #stream: TransportStream
  #rest: Buffer = Buffer.alloc(0)

  constructor(stream: TransportStream) {
    this.#stream = stream
  }

  /** The next `count` bytes, or `undefined` where the stream ends before them. */
  async take(count: number): Promise<Buffer | undefined> {
    const pieces = [this.#rest]
    let length = this.#rest.length
    while (length < count) {
      const piece = await this.#stream.read()
      if (piece === undefined) return undefined
      pieces.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))
      length += piece.length
    }
    const bytes = pieces.length === 1 ? this.#rest : Buffer.concat(pieces)
    this.#rest = bytes.subarray(count)
    return bytes.subarray(0, count)
  }
}
