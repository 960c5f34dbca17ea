/** The other end of a connection that a worker has: what is written to it goes to the worker, which writes it to the socket. */
import { Duplex } from 'node:stream'
import { LETTER, type Mail } from './mail.ts'

/** Who the peer is, and where it has connected. Without: on a Unix socket. */
export interface PeerAddress {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
}

export class RemotePeer extends Duplex {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly #mail: Mail
  readonly #number: number
  #isGone = false

  constructor(mail: Mail, number: number, address: PeerAddress) {
    super({ autoDestroy: false })
    this.#mail = mail
    this.#number = number
    this.remoteAddress = address.remoteAddress
    this.remotePort = address.remotePort
    this.localAddress = address.localAddress
    this.localPort = address.localPort
  }

  /** As a socket does it: when all is sent. */
  destroySoon(): void {
    if (!this.writableEnded) this.end()
  }

  /** The worker says that the connection has ended. */
  gone(): void {
    this.#isGone = true
    this.destroy()
  }

  override _read(): void {}

  /** The bytes are copied, so the writer may use its memory again. */
  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#mail.write(LETTER.BYTES, this.#number, 0, 0, bytes)
    done()
  }

  override _final(done: () => void): void {
    this.#mail.write(LETTER.END, this.#number)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#isGone) this.#mail.write(LETTER.GONE, this.#number)
    done(error)
  }
}
