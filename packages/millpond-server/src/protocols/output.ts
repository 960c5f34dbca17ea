/** The way out of a connection: what was written goes to the socket, and a peer that does not read is not served further. */
import type { Duplex } from 'node:stream'
import type { Client } from '../commands/client.ts'
import { CLIENT_MODE } from '../commands/modes.ts'
import type { ReplyError } from '../engine/errors.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { Departures } from './departures.ts'

/** While so much waits for the peer to read it, nothing more is read from the peer. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024

/** A socket, or what stands for one, as far as connections use it. */
export type Peer = Duplex & {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  /** Ends it when all is sent. */
  destroySoon(): void
}

export class Output {
  readonly address: string
  /** Whether it is a Unix socket. */
  readonly isLocal: boolean
  readonly #client: Client
  readonly #socket: Peer
  readonly #refusal: (fault: ReplyError) => string
  /** Whether what is written lies there for a while: TLS never takes it at once. */
  readonly #isEncrypted: boolean
  /** Answers that wait for the log, each for what was logged before it. */
  readonly #unsettled: Buffer[][] = []
  readonly #departures: Departures | undefined
  /** Why the peer is not read from: it does not read itself, or has to wait for others. */
  #isSlow = false
  #isHeld = false
  /** Whether something of it goes out at the end of the turn. */
  #isDeparting = false
  #ending = false

  /**
   * @param refusal what the peer is told where its changes could not be made safe
   * @param departures with what is written to its writer other connections' answers may go
   */
  constructor(client: Client, socket: Peer, refusal: (fault: ReplyError) => string, departures?: Departures) {
    this.#client = client
    this.#refusal = refusal
    this.#socket = socket
    this.#departures = departures
    this.#isEncrypted = 'encrypted' in socket
    const { path } = client.service.settings
    this.isLocal = socket.remoteAddress === undefined
    this.address = socket.remoteAddress ? `${bracketed(socket.remoteAddress)}:${socket.remotePort}` : `${path}:0`
  }

  /** Asked for when somebody wants to see it, as that takes a call of the system. */
  get localAddress(): string {
    const { localAddress, localPort } = this.#socket
    return localAddress ? `${bracketed(localAddress)}:${localPort}` : `${this.#client.service.settings.path}:0`
  }

  /** Whether the connection is no more. */
  get isGone(): boolean {
    return this.#socket.destroyed
  }

  /** Bytes that the peer has not taken. */
  get pending(): number {
    return this.#socket.writableLength
  }

  /** Sends what a writer holds: once it may be told, if the log is behind. */
  send(writer: ByteWriter): void {
    const { length } = writer
    if (length === 0) return
    if (this.#socket.destroyed) {
      writer.forget()
      return
    }
    const { service } = this.#client
    service.statistics.bytesOut += length
    if ((this.#client.modes & CLIENT_MODE.METERED) !== 0) this.#client.chargeBytes(0, length)
    const { log } = service.logs
    if (log !== undefined && (!log.settled || this.#unsettled.length > 0)) {
      this.#flush()
      this.#unsettled.push(writer.take())
      log.whenSettled((fault) => this.#settled(fault))
    } else this.#write(writer)
  }

  /** Sends bytes that nobody changes any more, and that may be told. */
  pass(bytes: Uint8Array): void {
    if (this.#socket.destroyed) return
    this.#socket.write(bytes)
    this.#slowDown()
  }

  /** Ends the connection when everything is sent. */
  end(): void {
    this.#flush()
    this.#ending = true
    if (this.#unsettled.length === 0) this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Reads nothing more from the peer until `release`. */
  hold(): void {
    this.#isHeld = true
    this.#socket.pause()
  }

  release(): void {
    this.#isHeld = false
    if (!this.#isSlow) this.#socket.resume()
  }

  /** @internal Sends what lies in the memory of the departures' writer. Returns whether that memory may be used again. */
  depart(bytes: Buffer): boolean {
    const socket = this.#socket
    this.#isDeparting = false
    if (!socket.writable) return true
    socket.write(bytes)
    if (socket.writableLength === 0) return true
    this.#slowDown()
    return false
  }

  #flush(): void {
    if (this.#isDeparting) this.#departures!.flush()
  }

  #write(writer: ByteWriter): void {
    const socket = this.#socket
    const { pieces } = writer
    if (writer === this.#departures?.writer && pieces.length === 0 && !this.#isEncrypted) {
      this.#isDeparting = true
      this.#departures.add(this)
      return
    }
    this.#flush()
    const { last } = writer
    if (this.#isEncrypted && pieces.length === 0) {
      socket.write(Buffer.from(last))
      writer.forget()
      if (socket.writableLength > 0) this.#slowDown()
      return
    }
    if (pieces.length === 0) socket.write(last)
    else {
      socket.cork()
      for (const piece of pieces) socket.write(piece)
      if (last.length > 0) socket.write(last)
      socket.uncork()
    }
    if (socket.writableLength > 0) {
      writer.renew()
      this.#slowDown()
    } else writer.reuse()
  }

  #settled(fault: ReplyError | undefined): void {
    const pieces = this.#unsettled.shift()
    if (pieces === undefined || this.#socket.destroyed) return
    if (fault) {
      this.#refuse(fault)
      return
    }
    this.#socket.cork()
    for (const piece of pieces) this.#socket.write(piece)
    this.#socket.uncork()
    if (this.#unsettled.length > 0) return
    if (this.#ending) this.#socket.destroySoon()
    else this.#slowDown()
  }

  /** What these answers say was done can not be made safe: that is said in their place, and the connection ends. */
  #refuse(fault: ReplyError): void {
    this.#unsettled.length = 0
    this.#socket.end(this.#refusal(fault), 'latin1')
  }

  #slowDown(): void {
    const socket = this.#socket
    if (socket.writableLength < PENDING_BYTES_MAX || this.#isSlow) return
    this.#isSlow = true
    socket.pause()
    socket.once('drain', () => {
      this.#isSlow = false
      if (!this.#isHeld) socket.resume()
    })
  }
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
