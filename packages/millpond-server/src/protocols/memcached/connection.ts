/** One connection that speaks memcached's protocol, in text or in binary: bytes in, items, bytes out. */
import { Client } from '../../commands/client.ts'
import { CLIENT_MODE } from '../../commands/modes.ts'
import type { Service } from '../../commands/service.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { ByteConnection } from '../byte-protocol.ts'
import type { Departures } from '../departures.ts'
import { HalfRead } from '../half-read.ts'
import { Output, type Peer } from '../output.ts'
import type { Turns } from '../turns.ts'
import { BINARY_MAGIC, failBy, serveBinary } from './binary.ts'
import { type CacheState, stateOf } from './cache-state.ts'
import { Cursor } from './cursor.ts'
import type { Exchange, LateAnswer, Served } from './exchange.ts'
import { serveText } from './text.ts'
import { errorLine } from './text-server.ts'

/** Answers are sent when they are so long, even if more requests have come. */
const SEND_BYTES = 1024 * 1024

/** After so many requests it is looked whether the turn is over. */
const REQUESTS_A_LOOK = 64
/** A request that asks for so many keys is looked after at once. */
const MANY_WORDS = 256

/**
 * All requests that one read has brought are served one after the other, and their answers go out in one write. Where that takes
 * long, the connection goes on when others have had their turn. It also waits for the end of a pause, and, after a wrong
 * secret, for its answer.
 */
export class MemcachedConnection extends Client implements ByteConnection {
  readonly #exchange: Exchange
  readonly #cursor = new Cursor()
  readonly #input: HalfRead
  readonly #output: Output
  readonly #turns: Turns
  /** Known by the first byte, unless only one is spoken. */
  #speaks: 'auto' | 'text' | 'binary'
  #state: CacheState
  #stateOf: Service
  #batchBytes = 0
  /** Whether what has come waits: for others' turn, the end of a pause, an answer that is given late. */
  #waits = false
  #closing = false

  constructor(service: Service, socket: Peer, exchange: Exchange, departures: Departures) {
    super(service.nextClientId(), service)
    this.#exchange = exchange
    this.#speaks = exchange.options.speaks ?? 'auto'
    this.#input = new HalfRead(this.#cursor)
    const refusal = (fault: ReplyError): string => (this.#speaks === 'binary' ? '' : `${errorLine(fault)}\r\n`)
    this.#output = new Output(this, socket, refusal, departures)
    this.#turns = departures.turns
    this.#stateOf = service
    this.#state = stateOf(service)
    service.clients.set(this.id, this)
    service.accessControl.welcome(this)
  }

  /** Whether it has to say who it is before anything else. */
  get mustAuthenticate(): boolean {
    return (this.modes & CLIENT_MODE.UNAUTHENTICATED) !== 0
  }

  /** What is kept of the cache that it is in. */
  get state(): CacheState {
    if (this.service !== this.#stateOf) {
      this.#stateOf = this.service
      this.#state = stateOf(this.service)
    }
    return this.#state
  }

  override get address(): string {
    return this.#output.address
  }

  override get localAddress(): string {
    return this.#output.localAddress
  }

  override get inputBytes(): number {
    return this.service.current === this ? this.#batchBytes : this.#input.length
  }

  override get inputMemory(): number {
    return this.#input.memory
  }

  override get isClosing(): boolean {
    return this.#closing || this.#output.isGone
  }

  override get outputBytes(): number {
    return this.#output.pending
  }

  override resume(): void {
    process.nextTick(() => this.#goOn())
  }

  override close(when: 'now' | 'after the answer'): void {
    this.#closing = true
    if (when === 'now') this.#output.destroy()
    else if (this.service.current !== this) this.#output.end()
  }

  receive(bytes: Buffer, start: number, end: number): void {
    const { service } = this
    service.statistics.bytesIn += end - start
    if (this.#closing) return
    // What is long may be too much already, before it is whole.
    if (this.#input.length > 0) service.clientMemory.count(this, end - start)
    if (this.#closing) return
    if ((this.modes & CLIENT_MODE.METERED) !== 0) this.chargeBytes(end - start, 0)
    if (this.#waits) this.#input.keepMore(bytes, start, end)
    else this.#input.join(bytes, start, end, (all, to) => this.#run(all, to))
    if (this.#input.length > service.settings.queryBytesMax) this.close('now')
    this.service.clientMemory.count(this)
  }

  #run(bytes: Buffer, end: number): void {
    const { service } = this
    const cursor = this.#cursor
    const exchange = this.#exchange
    const { writer } = exchange
    service.time.tick()
    this.activeAtMs = service.time.nowMs
    this.#batchBytes = end - cursor.at
    exchange.client = this
    exchange.state = this.state
    exchange.bytes = bytes
    exchange.end = end
    if (exchange.state.flushAtMs <= this.activeAtMs) exchange.state.flushIfDue(this)
    const { hard } = this.outputLimits
    let left = REQUESTS_A_LOOK
    while (!this.#closing && this.#skipTo(end) && this.#serve(exchange)) {
      if (writer.length > SEND_BYTES && hard === Number.POSITIVE_INFINITY) {
        this.#output.send(writer)
        left = 0
      } else if (writer.length + this.#output.pending > hard) this.close('now')
      if (--left > 0 && exchange.words.count < MANY_WORDS) continue
      left = REQUESTS_A_LOOK
      if (this.#turns.isOver() && cursor.at < end) {
        this.#wait()
        this.#turns.wait(() => this.#goOn())
        break
      }
    }
    exchange.words.release()
    service.endBatch()
    if (this.service !== service) this.service.endBatch()
    this.#output.send(writer)
    if (this.#closing) this.#output.end()
  }

  /** Serves nothing more, and reads nothing more from the peer, until `#goOn`. */
  #wait(): void {
    this.#waits = true
    this.#output.hold()
  }

  #goOn(): void {
    if (!this.#waits) return
    this.#waits = false
    if (this.isClosing) return
    this.#input.resume((bytes, end) => this.#run(bytes, end))
    if (!this.#waits) this.#output.release()
  }

  /** Gives an answer later, and goes on then. */
  #answerLate(exchange: Exchange, { delayMs, write }: LateAnswer): void {
    this.#wait()
    this.service.time.after(delayMs, () => {
      if (!this.isClosing) write()
      this.#output.send(exchange.writer)
      this.#goOn()
    })
  }

  /** Passes over what was refused. Returns whether a request may follow. */
  #skipTo(end: number): boolean {
    const cursor = this.#cursor
    if (cursor.skip > 0) {
      const skipped = Math.min(cursor.skip, end - cursor.at)
      cursor.skip -= skipped
      cursor.next(cursor.at + skipped)
    }
    return cursor.at < end
  }

  /** Serves one request. Returns whether another one may be served. */
  #serve(exchange: Exchange): boolean {
    const cursor = this.#cursor
    const { writer } = exchange
    const from = writer.length
    exchange.quiet = false
    exchange.skip = 0
    exchange.next = exchange.end
    exchange.late = undefined
    let served: Served
    try {
      if (this.#speaks === 'auto') this.#speaks = exchange.bytes[cursor.at] === BINARY_MAGIC ? 'binary' : 'text'
      served =
        this.#speaks === 'binary' ? serveBinary(exchange, cursor.at) : serveText(exchange, cursor.at, cursor.searched)
    } catch (error) {
      exchange.finish()
      writer.truncate(from)
      served = this.#refuse(exchange, error)
    }
    if (served === 'more') {
      // A line that has come whole is read again from its beginning, when its value has come, too.
      cursor.searched = exchange.wanted === 0 ? exchange.end : cursor.at
      cursor.wanted = exchange.wanted
      return false
    }
    if (served === 'put off') {
      writer.truncate(from)
      this.#wait()
      return false
    }
    cursor.next(exchange.next)
    cursor.skip = exchange.skip
    if (exchange.late !== undefined) {
      this.#answerLate(exchange, exchange.late)
      return false
    }
    if (served === 'close') this.#closing = true
    return true
  }

  /** Answers what was thrown. What is no answer is a fault of ours: it is reported, and the client let go. */
  #refuse(exchange: Exchange, error: unknown): Served {
    const { service } = this
    const isReply = error instanceof ReplyError
    const reply = isReply ? error : new ReplyError('internal error, which the server has written to its log')
    service.statistics.error(`${reply.code} ${reply.message}`)
    if (this.#speaks === 'binary') failBy(exchange, reply)
    else exchange.refuse(errorLine(reply))
    if (isReply) return 'done'
    service.onFault(error)
    return 'close'
  }
}
