import type { Socket } from 'node:net'
import { MeshError } from '../../core/errors.ts'
import type { TransportStream } from '../../core/transport.ts'

/** A TCP connection as a stream of a transport. */
export class SocketStream implements TransportStream {
  readonly #socket: Socket
  #ended = false
  #broken: Error | undefined
  #wakeReader: () => void = () => {}
  readonly #wakeWriters: (() => void)[] = []

  /** @param closed is told when the connection is gone, in whatever way */
  constructor(socket: Socket, closed: () => void) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 10_000)
    socket.on('readable', () => this.#wakeReader())
    socket.on('end', () => {
      this.#ended = true
      this.#wakeReader()
    })
    socket.on('error', (error) => {
      this.#broken = new MeshError('a stream to a peer broke', { cause: error })
    })
    socket.on('drain', () => this.#wake())
    socket.on('close', () => {
      this.#broken ??= new MeshError('a stream to a peer is closed')
      this.#wake()
      this.#wakeReader()
      closed()
    })
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#broken) throw this.#broken
    if (this.#socket.write(bytes)) return
    await new Promise<void>((resolve) => this.#wakeWriters.push(resolve))
    if (this.#broken) throw this.#broken
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = this.#socket.read() as Buffer | null
      if (bytes !== null) return bytes
      if (this.#ended) return undefined
      if (this.#broken) throw this.#broken
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #wake(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake()
  }
}
