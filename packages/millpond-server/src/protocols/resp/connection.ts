/** One connection that speaks RESP: bytes in, commands executed, bytes out. */
import { Client } from '../../commands/client.ts'
import { execute } from '../../commands/executor.ts'
import { CLIENT_MODE } from '../../commands/modes.ts'
import type { Service } from '../../commands/service.ts'
import { Arguments } from '../../engine/arguments.ts'
import type { Reply } from '../../engine/reply.ts'
import type { ByteConnection } from '../byte-protocol.ts'
import type { Departures } from '../departures.ts'
import { HalfRead } from '../half-read.ts'
import { Output, type Peer } from '../output.ts'
import { TURNS, type Turns } from '../turns.ts'
import { HalfRequest } from './half-request.ts'
import { LookAhead } from './look-ahead.ts'
import { ReplyWriter } from './reply-writer.ts'
import { ProtocolError, RequestParser } from './request-parser.ts'
import { Silence } from './silence.ts'

/** Own memory for what is pushed and for late answers: few connections have either. */
const OWN_PIECE_BYTES = 4 * 1024
/** Answers are sent when they are so long, even if more commands have come. */
const SEND_BYTES = 1024 * 1024

/** After so many words it is looked whether the turn is over. */
const WORDS_A_LOOK = 256

/** After a look ahead that was in vain so many reads are run without one. */
const VAIN_READS = 16

/** For one batch after the other, whosever it is. */
const LOOK_AHEAD = new LookAhead()

/**
 * All commands that one read has brought are executed one after the other, and their answers go out in one write. A command
 * that waits stops that; what came after it is kept, and goes on when the answer has been given. So it is when all that has come
 * takes long: the connection goes on when others have had their turn, and is not read from until then.
 */
export class RespConnection extends Client implements ByteConnection {
  /** What all connections write the answers of a batch to. */
  readonly #batch: ReplyWriter
  readonly #args = new Arguments()
  readonly #parser = new RequestParser()
  readonly #input: HalfRead
  readonly #output: Output
  readonly #turns: Turns
  /** For what does not come out of a batch: pushes, and answers given late. */
  #own: ReplyWriter | undefined
  /** Pushes that came during a command of its own. */
  #held: ((reply: Reply) => void)[] | undefined
  /** How many reads are run without a look ahead. */
  #vain = 0
  /** Bytes of the commands that are being executed. */
  #batchBytes = 0
  #flushing = false
  #closing = false
  /** Whether it has stopped in the middle of what has come, for others' sake. */
  #yielding = false

  /** @param departures where answers in `batch` wait for the end of the turn; without: they are sent at once */
  constructor(service: Service, socket: Peer, batch: ReplyWriter, departures?: Departures) {
    super(service.nextClientId(), service)
    this.#batch = batch
    this.#turns = departures?.turns ?? TURNS
    this.#input = new HalfRead(new HalfRequest(this.#parser, this.#args))
    this.#output = new Output(this, socket, ({ code, message }) => `-${code} ${message}\r\n`, departures)
    service.clients.set(this.id, this)
    service.accessControl.welcome(this)
  }

  override get address(): string {
    return this.#output.address
  }

  override get localAddress(): string {
    return this.#output.localAddress
  }

  override get inputBytes(): number {
    return this.service.current === this ? this.#batchBytes : this.#input.length - this.argumentBytes
  }

  override get argumentBytes(): number {
    return this.#input.length === 0 || this.service.current === this ? 0 : this.#parser.at
  }

  override get inputMemory(): number {
    return this.#input.memory
  }

  override get isClosing(): boolean {
    return this.#closing || this.#output.isGone
  }

  override get monitorName(): string {
    return this.#output.isLocal ? `unix:${this.service.settings.path}` : this.address
  }

  override get outputBytes(): number {
    return this.#output.pending + (this.#own?.length ?? 0)
  }

  override speak(protocol: 2 | 3): void {
    this.protocol = protocol
    this.#batch.protocol = protocol
    if (this.#own) this.#own.protocol = protocol
  }

  override later(): Reply {
    return this.#writer()
  }

  override push(write: (reply: Reply) => void): void {
    if (this.#closing) return
    if (this.service.current === this) {
      this.#held ??= []
      this.#held.push(write)
      return
    }
    write(this.#writer())
    if (this.outputBytes > this.outputLimits.hard) this.close('now')
    // Counted when it is sent: a key that is evicted is told of, and telling must evict no more.
    this.#flushSoon()
  }

  override resume(): void {
    if (this.#held !== undefined) this.#release(this.#writer())
    process.nextTick(() => {
      if (this.#own) this.#output.send(this.#own)
      if (!this.#yielding) this.#input.resume((bytes, end) => this.#run(bytes, end))
    })
  }

  override close(when: 'now' | 'after the answer'): void {
    this.#closing = true
    if (when === 'now') this.#output.destroy()
    else if (this.service.current !== this) this.#output.end()
  }

  receive(bytes: Buffer, start: number, end: number): void {
    const { statistics } = this.service
    statistics.bytesIn += end - start
    if (this.#closing) return
    // What is long may be too much already, before it is whole.
    if (this.#input.length > 0) this.service.clientMemory.count(this, end - start)
    if (this.#closing) return
    if ((this.modes & CLIENT_MODE.METERED) !== 0) this.chargeBytes(end - start, 0)
    if (this.waiting === undefined && !this.#yielding)
      this.#input.join(bytes, start, end, (all, to) => this.#run(all, to))
    else this.#input.keepMore(bytes, start, end)
    if (this.#input.length > this.service.settings.queryBytesMax) this.close('now')
    this.service.clientMemory.count(this)
  }

  #run(bytes: Buffer, end: number): void {
    const { service } = this
    const writer = this.#batch
    const parser = this.#parser
    writer.protocol = this.protocol
    parser.bytesMax = service.settings.bulkBytesMax
    parser.isKnown = (this.modes & CLIENT_MODE.UNAUTHENTICATED) === 0
    this.#batchBytes = end - parser.from
    service.time.tick()
    this.activeAtMs = service.time.nowMs
    const { hard } = this.outputLimits
    let words = WORDS_A_LOOK
    LOOK_AHEAD.begin(this.#vain > 0 ? end : 0)
    try {
      while (this.waiting === undefined && !this.#closing && this.#next(bytes, end)) {
        if (this.#args.count === 0) continue
        words -= this.#args.count
        if (this.replies === 'on') execute(this, this.#args, writer)
        else this.#runSilently(writer)
        if (this.#held !== undefined) this.#release(writer)
        if (hard !== Number.POSITIVE_INFINITY) this.#bound(writer.length, hard)
        else if (writer.length > SEND_BYTES) {
          this.#output.send(writer)
          words = 0
        }
        if (words > 0 && this.lastCommand?.isShort !== false) continue
        words = WORDS_A_LOOK
        if (this.#turns.isOver() && parser.from < end) {
          this.#yield()
          break
        }
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      service.statistics.error('ERR')
      writer.error(`ERR Protocol error: ${error.message}`)
      this.#closing = true
    }
    this.#vain = LOOK_AHEAD.isVain ? VAIN_READS : Math.max(0, this.#vain - 1)
    service.endBatch()
    if (this.service !== service) this.service.endBatch()
    this.#output.send(writer)
    if (this.#closing) this.#output.end()
  }

  /** Goes on when others had their turn. */
  #yield(): void {
    this.#yielding = true
    this.#output.hold()
    this.#turns.wait(() => {
      this.#yielding = false
      if (this.#output.isGone) return
      if (this.waiting === undefined && !this.#closing) this.#input.resume((bytes, end) => this.#run(bytes, end))
      if (!this.#yielding) this.#output.release()
    })
  }

  /** A client with a bound on what waits for it is let go above it. */
  #bound(written: number, bytesMax: number): void {
    if (written + this.#output.pending > bytesMax) this.close('now')
  }

  #next(bytes: Buffer, end: number): boolean {
    LOOK_AHEAD.look(this.db, bytes, this.#parser.at, end)
    return this.#parser.next(this.#args, bytes, end)
  }

  #runSilently(writer: ReplyWriter): void {
    const { replies } = this
    execute(this, this.#args, new Silence(writer))
    if (this.replies === 'on') writer.ok()
    else if (replies === 'skip' && this.replies === 'skip') this.replies = 'on'
  }

  /** Writes what was pushed during the command, now that its answer is written. */
  #release(writer: ReplyWriter): void {
    const held = this.#held!
    this.#held = undefined
    for (const write of held) write(writer)
  }

  #writer(): ReplyWriter {
    if (this.#own === undefined) {
      this.#own = new ReplyWriter(OWN_PIECE_BYTES)
      this.#own.protocol = this.protocol
    }
    return this.#own
  }

  /** Several pushes of one turn of the event loop go out in one write. */
  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    process.nextTick(() => {
      this.#flushing = false
      this.#output.send(this.#own!)
      this.service.clientMemory.count(this)
    })
  }
}
