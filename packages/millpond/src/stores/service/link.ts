/** The way to a service: a connection that is opened when it is first used, and again when it breaks. */
import type tls from 'node:tls'
import { type Clock, type Timer, timeLimit } from '../../core/clock.ts'
import { ClosedError, ServiceError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import type { ServiceAddress } from './address.ts'
import { Connection, type ConnectionOptions, type Request } from './connection.ts'
import type { Greeting } from './greeting.ts'
import type { ServiceReply } from './reply-reader.ts'
import type { CommandWord } from './words.ts'

/** What a link needs to know. */
export interface LinkOptions {
  readonly address: ServiceAddress
  readonly tls: tls.ConnectionOptions | undefined
  readonly connectTimeoutMs: number
  readonly timeoutMs: number
  /** How many commands may wait: for an answer, or for a connection. */
  readonly waitingMax: number
  /** What `SendOptions.onlyNow` is where it is not said. */
  readonly onlyNow: boolean
  readonly clock: Clock
  readonly random: Random
}

/** How one command is sent. */
export interface SendOptions {
  readonly asBytes?: boolean
  readonly timeoutMs?: number
  /** Fail at once where there is no connection, instead of waiting for one. One that is being opened for the first time is waited for. */
  readonly onlyNow?: boolean
  /** Which command of Millpond's own it is: a server that does not say that it has it is not asked. */
  readonly needs?: string
}

/** Who hears about a link. */
export interface LinkListener {
  up?(greeting: Greeting): void
  down?(error: ServiceError): void
  push?(parts: readonly ServiceReply[]): void
}

/** A command that waits for a connection. */
interface Kept {
  readonly request: Request
  readonly options: SendOptions
  readonly timer: Timer
}

/**
 * Commands wait for a connection as long as for an answer. What was sent and not answered when a connection broke fails, and is
 * not sent again: it may have been done. What the server refuses at its greeting, such as a token, fails all that waits at once.
 */
export class Link {
  readonly address: ServiceAddress
  readonly #options: LinkOptions
  #connection: Connection | undefined
  #opening: Connection | undefined
  #greeting: Greeting | undefined
  #kept: Kept[] = []
  #failures = 0
  #lastError: ServiceError | undefined
  #retry: Timer | undefined
  #isClosed = false
  #holds = 0
  #reconnects = 0
  readonly #listeners = new Set<LinkListener>()
  #idle: (() => void)[] = []

  constructor(options: LinkOptions) {
    this.#options = options
    this.address = options.address
  }

  get isUp(): boolean {
    return this.#connection !== undefined
  }

  get lastError(): ServiceError | undefined {
    return this.#lastError
  }

  /** How often a connection was opened anew. */
  get reconnects(): number {
    return Math.max(0, this.#reconnects - 1)
  }

  /** How many commands wait. */
  get waiting(): number {
    return this.#kept.length + (this.#connection?.waiting ?? 0)
  }

  /** What the server last said of itself. */
  get greeting(): Greeting | undefined {
    return this.#greeting
  }

  /** @throws ServiceError, ClosedError */
  send(words: readonly CommandWord[], options: SendOptions = {}): Promise<ServiceReply> {
    return new Promise((resolve, reject) => {
      const { asBytes = false, timeoutMs = this.#options.timeoutMs, onlyNow = this.#options.onlyNow } = options
      const refusal = this.#refusal(onlyNow)
      if (refusal !== undefined) return reject(refusal)
      const request: Request = {
        words,
        asBytes,
        timeoutMs,
        resolve: (reply) => {
          resolve(reply)
          this.#settled()
        },
        reject: (error) => {
          reject(error)
          this.#settled()
        },
      }
      if (this.#connection !== undefined) this.#sendOn(this.#connection, request, options)
      else this.#keep(request, { ...options, onlyNow })
    })
  }

  /** Opens it, if that was not done, and resolves with what the server says of itself. @throws ServiceError, ClosedError */
  async ready(): Promise<Greeting> {
    await this.send(NOTHING)
    return this.#greeting!
  }

  listen(listener: LinkListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** A connection beside the link, to the same cache, that is used once. */
  another(listener: Pick<ConnectionOptions, 'onPush' | 'onEnd'>): Connection {
    const { address, tls: secure, connectTimeoutMs, clock } = this.#options
    return new Connection({ address, tls: secure, connectTimeoutMs, clock, ...listener })
  }

  /** Keeps the process alive, and the link connected, until what it returns is called. */
  hold(): () => void {
    this.#holds++
    this.#connection?.hold(true)
    this.#open()
    return () => {
      if (--this.#holds === 0) this.#connection?.hold(false)
    }
  }

  /** Waits for the answers that are due, as long as for any answer, and ends it. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#retry?.cancel()
    const isOpening = this.#connection !== undefined || this.#opening !== undefined
    if (!isOpening) this.#failKept(new ClosedError(`the service at ${this.address.place}`), () => true)
    if (this.waiting > 0) {
      const settled = new Promise<void>((resolve) => this.#idle.push(resolve))
      await timeLimit(this.#options.clock, this.#options.timeoutMs, () => settled, () => undefined) // biome-ignore format: one line
    }
    this.#opening?.destroy(this.#closed())
    this.#connection?.destroy(this.#closed())
  }

  #closed(): ServiceError {
    return new ServiceError('connection', `the connection to ${this.address.place} was closed here`)
  }

  #refusal(onlyNow: boolean): Error | undefined {
    const { place } = this.address
    if (this.#isClosed) return new ClosedError(`the service at ${place}`)
    if (this.waiting >= this.#options.waitingMax || (this.#connection?.unsentBytes ?? 0) > UNSENT_BYTES_MAX) {
      return new ServiceError('overload', `${place} does not keep up: ${this.waiting} commands wait for it; send fewer`)
    }
    return onlyNow && this.#connection === undefined ? this.#lastError : undefined
  }

  #sendOn(connection: Connection, request: Request, { needs }: SendOptions): void {
    if (request.words === NOTHING) {
      request.resolve(null)
      return
    }
    const { version, commands } = this.#greeting!
    if (needs === undefined || commands.includes(needs)) {
      connection.send(request)
      return
    }
    const what = `the Millpond at ${this.address.place} (${version}) has no command ${needs.toUpperCase()}; update it`
    request.reject(new ServiceError('unsupported', what))
  }

  #keep(request: Request, options: SendOptions): void {
    const { clock } = this.#options
    const { timeoutMs } = request
    const expire = (): void => {
      this.#kept = this.#kept.filter((kept) => kept.request !== request)
      const because = this.#lastError === undefined ? 'it is still connecting' : this.#lastError.message
      request.reject(
        new ServiceError('timeout', `${this.address.place} could not be reached within ${timeoutMs} ms: ${because}`),
      )
    }
    this.#kept.push({ request, options, timer: clock.after(timeoutMs, expire, true) })
    this.#open()
  }

  #open(): void {
    if (this.#isClosed || this.#connection !== undefined || this.#opening !== undefined || this.#retry !== undefined)
      return
    const connection = this.another({
      onPush: (parts) => this.#tell((listener) => listener.push?.(parts)),
      onEnd: (error) => this.#lost(error),
    })
    this.#opening = connection
    connection.open().then(
      (greeting) => this.#opened(connection, greeting),
      (error: ServiceError) => {
        this.#opening = undefined
        this.#failed(error)
      },
    )
  }

  #opened(connection: Connection, greeting: Greeting): void {
    this.#opening = undefined
    this.#connection = connection
    this.#greeting = greeting
    this.#failures = 0
    this.#reconnects++
    connection.hold(this.#holds > 0)
    // Who has subscribed does so again before anything else is said.
    this.#tell((listener) => listener.up?.(greeting))
    const kept = this.#kept
    this.#kept = []
    for (const { request, options, timer } of kept) {
      timer.cancel()
      this.#sendOn(connection, request, options)
    }
    if (this.#isClosed) this.#settled()
  }

  #lost(error: ServiceError): void {
    this.#connection = undefined
    this.#failed(error)
    this.#tell((listener) => listener.down?.(error))
  }

  #failed(error: ServiceError): void {
    this.#lastError = error
    const isLost = error.reason === 'connection' || error.reason === 'timeout'
    const isRefused = !isLost || isCertain(error)
    this.#failKept(error, ({ options }) => isRefused || this.#isClosed || options.onlyNow === true)
    if (this.#isClosed) return
    const { clock, random } = this.#options
    const longestMs = isRefused ? RETRY_MS_LAST : Math.min(RETRY_MS_FIRST * 2 ** this.#failures, RETRY_MS_LAST)
    this.#failures++
    this.#retry = clock.after(longestMs * (0.5 + random() / 2), () => {
      this.#retry = undefined
      this.#open()
    })
  }

  #failKept(error: Error, which: (kept: Kept) => boolean): void {
    const failed = this.#kept.filter(which)
    this.#kept = this.#kept.filter((kept) => !which(kept))
    for (const { request, timer } of failed) {
      timer.cancel()
      request.reject(error as ServiceError)
    }
  }

  #settled(): void {
    if (this.#idle.length === 0 || this.waiting > 0) return
    for (const resolve of this.#idle) resolve()
    this.#idle = []
  }

  #tell(tell: (listener: LinkListener) => void): void {
    for (const listener of [...this.#listeners]) tell(listener)
  }
}

/** Whether the next try will fail for the same reason: a certificate that is not trusted, a port that speaks no TLS. */
function isCertain({ cause }: ServiceError): boolean {
  return /CERT|SSL|TLS|EPROTO|VERIFY/.test(String((cause as { code?: unknown } | undefined)?.code))
}

/** Sent by who only waits for a connection. */
const NOTHING: readonly CommandWord[] = []

const RETRY_MS_FIRST = 20
const RETRY_MS_LAST = 2000
const UNSENT_BYTES_MAX = 64 * 1024 ** 2
