/** A connection to where an import comes from: lines and bytes, in the order in which they come. */
import net from 'node:net'
import tls from 'node:tls'
import { BackupError } from '../backup-error.ts'

/** Where a source is. */
export interface SourceAddress {
  readonly host: string
  readonly port: number
  readonly tls: tls.ConnectionOptions | undefined
}

const SILENCE_MS = 30_000
/** With more than this not read the source has to wait. */
const AHEAD_BYTES = 16 * 2 ** 20
const LF = 10
const LINE_BYTES_MAX = 1024 * 1024

export class SourceSocket {
  readonly #socket: net.Socket
  readonly #place: string
  #chunks: Buffer[] = []
  #length = 0
  #wake: (() => void) | undefined
  #error: Error | undefined

  private constructor(socket: net.Socket, place: string) {
    this.#socket = socket
    this.#place = place
    socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error(`nothing has come for ${SILENCE_MS / 1000} s`)))
    socket.on('data', (bytes: Buffer) => {
      this.#chunks.push(bytes)
      this.#length += bytes.length
      if (this.#length > AHEAD_BYTES) socket.pause()
      this.#wake?.()
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('it has ended the connection')))
  }

  /** @throws BackupError source */
  static async open({ host, port, tls: secure }: SourceAddress): Promise<SourceSocket> {
    const place = `${host}:${port}`
    const socket = secure
      ? tls.connect({ host, port, ...(net.isIP(host) === 0 && { servername: host }), ...secure })
      : net.connect({ host, port })
    const opened = new SourceSocket(socket, place)
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve)
      socket.once('error', (error) => reject(new BackupError('source', place, error.message, error)))
    })
    return opened
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** The next line, as a byte string without its end. @throws BackupError source */
  async line(): Promise<string> {
    for (let from = 0; ; ) {
      const first = this.#chunks[0]
      const end = first?.indexOf(LF, from) ?? -1
      if (end >= 0) {
        const line = this.#take(end + 1)
        return line.toString('latin1', 0, line[end - 1] === 13 ? end - 1 : end)
      }
      from = first?.length ?? 0
      if (from > LINE_BYTES_MAX) throw this.failure('a line of it does not end')
      if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
      else await this.#more()
    }
  }

  /** So many bytes, in memory of their own. @throws BackupError source */
  async bytes(count: number): Promise<Buffer> {
    while (this.#length < count) await this.#more()
    return Buffer.from(this.#take(count))
  }

  close(): void {
    this.#socket.destroy()
  }

  failure(reason: string, cause?: unknown): BackupError {
    return new BackupError('source', this.#place, reason, cause)
  }

  #take(count: number): Buffer {
    if ((this.#chunks[0]?.length ?? 0) < count) this.#chunks = [Buffer.concat(this.#chunks)]
    const first = this.#chunks[0] ?? Buffer.alloc(0)
    const taken = first.subarray(0, count)
    if (first.length === count) this.#chunks.shift()
    else this.#chunks[0] = first.subarray(count)
    this.#length -= count
    if (this.#length <= AHEAD_BYTES) this.#socket.resume()
    return taken
  }

  async #more(): Promise<void> {
    const { length } = this.#chunks
    // What is needed may be more than is read ahead.
    this.#socket.resume()
    while (this.#chunks.length === length) {
      if (this.#error) throw this.failure(this.#error.message, this.#error)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #fail(error: Error): void {
    this.#error ??= error
    this.#wake?.()
  }
}
