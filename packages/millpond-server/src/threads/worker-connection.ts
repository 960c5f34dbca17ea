/** A connection of a worker: commands on strings are executed here, all others go home as they came. */
import { call } from '../commands/call.ts'
import { Client } from '../commands/client.ts'
import { CLIENT_MODE } from '../commands/modes.ts'
import { Arguments } from '../engine/arguments.ts'
import type { ByteConnection } from '../protocols/byte-protocol.ts'
import { HalfRead } from '../protocols/half-read.ts'
import { Output, type Peer } from '../protocols/output.ts'
import { HalfRequest } from '../protocols/resp/half-request.ts'
import { ProtocolError, RequestParser } from '../protocols/resp/request-parser.ts'
import { LETTER } from './mail.ts'
import { databaseOf, isPlain, isSubscribed, protocolOf } from './remote-state.ts'
import type { WorkerThread } from './worker-thread.ts'

/** Answers are sent when they are so long, even if more commands have come. */
const SEND_BYTES = 1024 * 1024
/** While home has so much of a peer still to take, nothing more is read from it, until most of it is taken. */
const AHEAD_BYTES_MAX = 4 * 1024 * 1024
const AHEAD_BYTES_MIN = 256 * 1024

/**
 * Where the next command is one that a worker can not run, or the way in is closed, the connection is home's: all that its peer
 * sends goes there, until home says that it has taken it all and that the client is plain again. So what one peer has sent is
 * executed in order, and most peers never change sides.
 */
export class WorkerConnection extends Client implements ByteConnection {
  readonly number: number
  /** What home was told of `outputBytes`. */
  told = 0
  readonly #thread: WorkerThread
  readonly #socket: Peer
  readonly #output: Output
  readonly #args = new Arguments()
  readonly #parser = new RequestParser()
  readonly #input = new HalfRead(new HalfRequest(this.#parser, this.#args))
  /** Whether home executes what comes. So it does with the first bytes: who the peer is, is known there. */
  #isHome = true
  #isRunning = false
  /** Bytes that were sent home, and of these taken there: as 32 bits. */
  #sent = 0
  #taken = 0

  constructor(thread: WorkerThread, socket: Peer, number: number) {
    super(number, thread.service)
    this.number = number
    this.#thread = thread
    this.#socket = socket
    this.#output = new Output(this, socket, ({ code, message }) => `-${code} ${message}\r\n`)
    this.service.clients.set(number, this)
  }

  /** Home knows the address: here it is the number that home finds it by. */
  override get address(): string {
    return String(this.number)
  }

  override get outputBytes(): number {
    return this.#output.pending
  }

  override close(when: 'now' | 'after the answer'): void {
    if (when === 'now') this.#output.destroy()
    else this.#output.end()
  }

  override leave(): void {
    this.service.clients.delete(this.number)
    this.#thread.left(this)
  }

  receive(bytes: Buffer, start: number, end: number): void {
    if (this.#isHome) this.#send(bytes, start, end)
    else this.#input.join(bytes, start, end, (all, to) => this.#run(all, to))
    if (this.#input.length > this.service.settings.queryBytesMax) this.close('now')
  }

  /** Home has taken so many bytes, and says what the client is there. */
  follow(taken: number, state: number): void {
    this.#taken = taken
    if (this.#socket.isPaused() && this.#ahead < AHEAD_BYTES_MIN) this.#socket.resume()
    this.modes = isSubscribed(state) ? CLIENT_MODE.SUBSCRIBED : 0
    if (!isPlain(state)) {
      const isHere = !this.#isHome
      this.#isHome = true
      if (isHere && !this.#isRunning) this.#input.resume((bytes, end) => this.#goHome(bytes, 0, end))
    } else if (taken === this.#sent && this.#isHome) {
      this.#isHome = false
      this.protocol = protocolOf(state)
      this.db = this.service.databases[databaseOf(state)]!
    }
  }

  /** Sends what home has answered. */
  answer(bytes: Buffer): void {
    this.#output.pass(bytes)
    this.#bound()
  }

  #run(bytes: Buffer, end: number): void {
    const { service } = this
    const thread = this.#thread
    const parser = this.#parser
    const { from } = parser
    service.time.tick()
    this.activeAtMs = service.time.nowMs
    this.#isRunning = true
    const isIn = thread.enter() && !this.#isHome
    const stopped = isIn ? this.#execute(bytes, end) : from
    thread.leave()
    this.#isRunning = false
    if (isIn) {
      service.statistics.bytesIn += (stopped < 0 ? parser.from : stopped) - from
      service.endBatch()
      thread.worked(this)
      this.#answer()
    }
    if (stopped >= 0) this.#goHome(bytes, stopped, end)
  }

  /** Executes what can be executed here. Returns where the first command begins that can not; -1: all could. */
  #execute(bytes: Buffer, end: number): number {
    const { service } = this
    const { writer, needs, turnstile } = this.#thread
    const parser = this.#parser
    const args = this.#args
    parser.bytesMax = service.settings.bulkBytesMax
    writer.protocol = this.protocol
    let from = parser.from
    try {
      while (parser.next(args, bytes, end)) {
        if (args.count > 0) {
          const entry = service.commands.find(args)
          if (entry === undefined || !needs.canWork(entry) || !entry.fits(args.count)) return from
          this.lastCommand = entry
          call(this, entry, args, writer)
          if (writer.length > SEND_BYTES) this.#answer()
        }
        from = parser.from
        if (!turnstile.isOpen && from < end) {
          this.#thread.leave()
          if (!this.#thread.enter() || this.#isHome) return from
        }
      }
    } catch (error) {
      // Home finds the same fault, and answers it.
      if (error instanceof ProtocolError) return from
      throw error
    }
    return -1
  }

  #answer(): void {
    this.#output.send(this.#thread.writer)
    this.#bound()
  }

  /** A peer that reads too little is cut off. */
  #bound(): void {
    if (this.outputBytes > this.outputLimits.hard) this.close('now')
  }

  /** From here on home executes. What is half-read here goes there, too. */
  #goHome(bytes: Buffer, start: number, end: number): void {
    this.#isHome = true
    this.#parser.restart(end)
    this.#thread.tellErrors()
    this.#send(bytes, start, end)
  }

  #send(bytes: Buffer, start: number, end: number): void {
    if (start === end) return
    this.#sent = (this.#sent + end - start) | 0
    this.#thread.mail.write(LETTER.BYTES, this.number, 0, 0, bytes, start, end)
    if (this.#ahead > AHEAD_BYTES_MAX) this.#socket.pause()
  }

  get #ahead(): number {
    return (this.#sent - this.#taken) | 0
  }
}
