/** One connection to a service: one socket, from its greeting to its end. */
import net from 'node:net'
import tls from 'node:tls'
import type { Clock, Timer } from '../../core/clock.ts'
import { ServiceError } from '../../core/errors.ts'
import type { ServiceAddress } from './address.ts'
import { type Greeting, greetingOf, hello } from './greeting.ts'
import { textOf } from './replies.ts'
import { ReplyFailure, type ReplyListener, ReplyReader, type ServiceReply } from './reply-reader.ts'
import { type CommandWord, encodeCommand } from './words.ts'

/** What a connection needs to know. */
export interface ConnectionOptions {
  readonly address: ServiceAddress
  readonly tls: tls.ConnectionOptions | undefined
  /** How long opening it may take, greeting included. */
  readonly connectTimeoutMs: number
  readonly clock: Clock
  /** What comes without being asked for. */
  readonly onPush: (parts: readonly ServiceReply[]) => void
  /** It has ended: once, and never before `open` has resolved. */
  readonly onEnd: (error: ServiceError) => void
}

/** A command that is to be answered. */
export interface Request {
  readonly words: readonly CommandWord[]
  /** Bulk strings of the answer stay bytes. */
  readonly asBytes: boolean
  /** How long the answer may take once it is the next one. Infinity: as long as it likes, as of a command that waits. */
  readonly timeoutMs: number
  readonly resolve: (reply: ServiceReply) => void
  readonly reject: (error: ServiceError) => void
}

/**
 * Commands of one turn leave in one write, and are answered in their order. A server that lets the next answer wait too long is
 * given up, with everything that waits for it: behind a frozen server all others would wait as long. The socket keeps the process
 * alive only while somebody waits for an answer, or `hold` says so.
 */
export class Connection implements ReplyListener {
  readonly #options: ConnectionOptions
  readonly #socket: net.Socket
  readonly #reader = new ReplyReader(this)
  readonly #waiting: Request[] = []
  #head = 0
  #out: (string | Uint8Array)[] = []
  #stall: Timer | undefined
  /** When the last answer came, or the first command left after a silence. */
  #movedAtMs = 0
  #isOpen = false
  #error: ServiceError | undefined
  #isHeld = false
  #monitors = false

  /** Begins to connect. */
  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#socket = dial(options)
    this.#socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS)
    this.#socket.on('error', (cause) => this.#end(cause)).on('close', () => this.#end(new Error('it was closed')))
    this.#socket.on('data', (packet) => this.#take(packet))
  }

  /** Resolves when the server has said who it is. @throws ServiceError */
  async open(): Promise<Greeting> {
    const { address } = this.#options
    try {
      const greeting = greetingOf(await this.ask(hello(address)), address)
      if (address.database > 0) await this.ask(['SELECT', address.database])
      this.#isOpen = true
      return greeting
    } catch (error) {
      this.destroy(error as ServiceError)
      throw error
    }
  }

  /** How many answers are due. */
  get waiting(): number {
    return this.#waiting.length - this.#head
  }

  /** Bytes that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  /** Sends a command with the others of this turn. */
  send(request: Request): void {
    if (this.#error !== undefined) {
      request.reject(this.#error)
      return
    }
    if (this.#out.length === 0) process.nextTick(() => this.#flush())
    encodeCommand(request.words, this.#out)
    this.#monitors ||= nameOf(request.words) === 'MONITOR'
    if (this.waiting === 0) this.#movedAtMs = this.#options.clock.monotonic()
    this.#waiting.push(request)
    this.#watch()
    this.#ref()
  }

  /** Whether it keeps the process alive although nobody waits for an answer. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#ref()
  }

  /** Ends it at once; what waits fails with this. */
  destroy(error: ServiceError): void {
    this.#end(error)
  }

  get wantsBytes(): boolean {
    return this.#waiting[this.#head]?.asBytes === true
  }

  reply(reply: ServiceReply): void {
    const request = this.#waiting[this.#head]
    if (request === undefined) {
      // Who monitors is told in answers that nobody has asked for.
      if (this.#monitors && typeof reply === 'string') this.#options.onPush(['monitor', reply])
      else this.#end(new Error('it answered what was not asked'))
      return
    }
    this.#head++
    // The answered ones are let go of in one piece, now and then.
    if (this.#head === this.#waiting.length || this.#head > HEAD_MAX) {
      this.#waiting.splice(0, this.#head)
      this.#head = 0
    }
    this.#movedAtMs = this.#options.clock.monotonic()
    if (reply instanceof ReplyFailure) request.reject(failureOf(reply, request.words))
    else request.resolve(reply)
  }

  push(parts: readonly ServiceReply[]): void {
    // A subscription is confirmed by what elsewhere nobody has asked for.
    if (CONFIRMED.has(textOf(parts[0])) && this.#isNext(textOf(parts[0]))) this.reply(parts)
    else this.#options.onPush(parts)
  }

  #isNext(name: string): boolean {
    const request = this.#waiting[this.#head]
    return request !== undefined && nameOf(request.words).toLowerCase() === name
  }

  /** Sends what belongs to opening it, and is given as long. @throws ServiceError */
  ask(words: readonly CommandWord[]): Promise<ServiceReply> {
    const { connectTimeoutMs: timeoutMs } = this.#options
    return new Promise((resolve, reject) => this.send({ words, asBytes: false, timeoutMs, resolve, reject }))
  }

  #take(packet: Buffer): void {
    try {
      this.#reader.take(packet)
    } catch (error) {
      this.#end(error as Error)
    }
    this.#ref()
  }

  #flush(): void {
    const out = this.#out
    this.#out = []
    if (this.#error !== undefined) return
    if (out.length === 1) return void this.#socket.write(out[0]!)
    this.#socket.cork()
    for (const piece of out) this.#socket.write(piece)
    this.#socket.uncork()
  }

  #watch(): void {
    const next = this.#waiting[this.#head]
    if (this.#stall !== undefined || next === undefined || next.timeoutMs === Number.POSITIVE_INFINITY) return
    const { clock } = this.#options
    const leftMs = this.#movedAtMs + next.timeoutMs - clock.monotonic()
    this.#stall = clock.after(Math.max(1, leftMs), () => this.#stalled())
  }

  #stalled(): void {
    const next = this.#waiting[this.#head]
    this.#stall = undefined
    if (next === undefined) return
    const lateMs = this.#options.clock.monotonic() - this.#movedAtMs - next.timeoutMs
    if (lateMs < 0 || next.timeoutMs === Number.POSITIVE_INFINITY) {
      this.#watch()
      return
    }
    const { place } = this.#options.address
    this.#end(new ServiceError('timeout', `${place} did not answer ${nameOf(next.words)} within ${next.timeoutMs} ms`))
  }

  #end(cause: Error): void {
    if (this.#error !== undefined) return
    const error = cause instanceof ServiceError ? cause : lost(this.#options.address, cause)
    this.#error = error
    this.#stall?.cancel()
    this.#socket.destroy()
    for (const { reject } of this.#waiting.splice(this.#head)) reject(error)
    this.#head = 0
    if (this.#isOpen) this.#options.onEnd(error)
  }

  #ref(): void {
    if (this.waiting > 0 || this.#isHeld) this.#socket.ref()
    else this.#socket.unref()
    this.#watch()
  }
}

const KEEP_ALIVE_MS = 15_000
const HEAD_MAX = 1024
const CONFIRMED = new Set(['subscribe', 'psubscribe', 'unsubscribe', 'punsubscribe'])

function dial({ address, tls: secure }: ConnectionOptions): net.Socket {
  if (!address.tls && secure === undefined) return net.connect(address.at)
  const host = 'host' in address.at ? address.at.host : undefined
  const named = host !== undefined && net.isIP(host) === 0
  return tls.connect({ ...(named && { servername: host }), ...address.at, ...secure })
}

function lost({ place }: ServiceAddress, cause: Error): ServiceError {
  const { code, message, errors } = cause as Error & { code?: string; errors?: readonly Error[] }
  const said = message || errors?.map((error) => error.message).join('; ') || String(code)
  return new ServiceError('connection', `no connection to ${place}: ${said}${ADVICE[code ?? ''] ?? ''}`, { cause })
}

/** What to do about the errors that people meet first. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: '; is the server running there? `millpond serve` starts one',
  ENOENT: '; there is no such socket: is the server running?',
  ENOTFOUND: '; the name of the host is not known',
  DEPTH_ZERO_SELF_SIGNED_CERT: '; its certificate is its own: give it as `ca` of the option `tls`',
  SELF_SIGNED_CERT_IN_CHAIN: '; its certificate is its own: give it as `ca` of the option `tls`',
  ERR_TLS_CERT_ALTNAME_INVALID: '; its certificate is for another name',
  EPROTO: '; does this port speak TLS? millponds:// does, millpond:// does not',
  ERR_SSL_WRONG_VERSION_NUMBER: '; this port does not speak TLS: write millpond://',
}

const ACCESS = new Set(['WRONGPASS', 'NOAUTH', 'NOPERM', 'DENIED'])

/** An error of the server, which names the command but none of its arguments: one may be a token. */
function failureOf({ text, word }: ReplyFailure, words: readonly CommandWord[]): ServiceError {
  return new ServiceError(ACCESS.has(word) ? 'access' : 'answer', `${nameOf(words)}: ${text}`, { word })
}

function nameOf([first]: readonly CommandWord[]): string {
  return String(first).toUpperCase()
}
