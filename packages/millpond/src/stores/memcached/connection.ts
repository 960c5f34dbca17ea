/** A connection to one Memcached server, with its requests in a pipeline. */
import net from 'node:net'
import tls from 'node:tls'
import { type Clock, type Timer, timeLimit } from '../../core/clock.ts'
import { StoreError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import type { Address } from './address.ts'
import { type Greeted, greetedBy, greeting } from './greeting.ts'
import { type Reply, ReplyReader } from './replies.ts'

/** What a connection needs to know. */
export interface ConnectionOptions {
  readonly address: Address
  readonly tls: tls.ConnectionOptions | undefined
  /** How long the server may say nothing, when it is connected to and when it owes answers, before it is given up. */
  readonly stallTimeoutMs: number
  readonly clock: Clock
  readonly random: Random
}

/**
 * Keeps one socket open: opened by the first request, opened again with growing pauses when it breaks. Requests go out at
 * once and are answered in their order. While there is no connection they fail at once, instead of waiting for one: what
 * the cache wants is an answer now. The socket keeps the process alive only while somebody waits for an answer.
 */
export class Connection {
  readonly #options: ConnectionOptions
  #socket: net.Socket | undefined
  #greeted: Greeted | undefined
  #opening: Promise<void> | undefined
  #waiting: Waiting[] = []
  #failures = 0
  #lastError: Error | undefined
  #retry: Timer | undefined
  #stall: Timer | undefined
  #isClosed = false
  readonly #watchers = new Set<() => void>()

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /** What the server said of itself. @throws StoreError when it is not connected */
  async greeted(): Promise<Greeted> {
    if (this.#greeted !== undefined) return this.#greeted
    if (this.#isClosed || this.#failures > 0) throw this.#absent()
    this.#opening ??= this.#open()
    await this.#opening
    return this.#greeted ?? this.#raise()
  }

  /**
   * Sends commands and resolves with the reply of each.
   *
   * @throws StoreError when the connection is not there, or breaks before all is answered
   */
  async send(commands: readonly string[]): Promise<readonly Reply[]> {
    if (commands.length === 0) return []
    await this.greeted()
    if (this.#socket === undefined) throw this.#absent()
    if (this.#waiting.length >= WAITING_MAX || this.#socket.writableLength > UNSENT_BYTES_MAX)
      throw new StoreError(`${this.#name} does not keep up: ${this.#waiting.length} requests wait for it`)
    return await this.#exchange(commands.join(''), commands.length)
  }

  /** Calls `onChange` whenever a connection that was of use is lost, and when there is one again. Returns what stops it. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange)
    return () => void this.#watchers.delete(onChange)
  }

  /** Ends it for good. What waits fails. */
  close(): void {
    this.#isClosed = true
    this.#retry?.cancel()
    this.#lose(new StoreError(`${this.#name} is closed`))
  }

  get #name(): string {
    return this.#options.address.name
  }

  async #open(): Promise<void> {
    const { clock, stallTimeoutMs } = this.#options
    const before = this.#failures
    try {
      await timeLimit(clock, stallTimeoutMs, () => this.#connect(), () => this.#raise('did not answer')) // biome-ignore format: one line
      this.#failures = 0
      if (before > 0) this.#tell()
    } catch (error) {
      if (this.#failures === before) this.#lose(error as Error)
    }
    this.#opening = undefined
    this.#hold()
  }

  async #connect(): Promise<void> {
    const { address } = this.#options
    const socket = this.#dial()
    this.#socket = socket
    const reader = new ReplyReader()
    socket.setNoDelay(true).setKeepAlive(true)
    const end = (error?: Error) => this.#socket === socket && this.#lose(error ?? new Error('it closed the connection'))
    socket.on('error', end).on('close', () => end())
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const reply of reader.take(chunk)) if (this.#socket === socket) this.#answer(reply)
      } catch (error) {
        end(error as Error)
      }
    })
    const { text, isWhole } = greeting(address)
    const greeted = greetedBy(await this.#exchange(text, isWhole), address)
    if (this.#socket === socket) this.#greeted = greeted
  }

  #dial(): net.Socket {
    const { address, tls: secure } = this.#options
    if (secure === undefined) return net.connect(address.at)
    return tls.connect({ ...(net.isIP(address.host) === 0 && { servername: address.host }), ...address.at, ...secure })
  }

  #exchange(text: string, isWhole: Waiting['isWhole']): Promise<readonly Reply[]> {
    return new Promise((resolve, reject) => {
      const sentAtMs = this.#options.clock.monotonic()
      this.#waiting.push({ isWhole, replies: [], sentAtMs, resolve, reject })
      this.#hold()
      this.#stall ??= this.#watchStall(this.#options.stallTimeoutMs)
      this.#socket!.write(text)
    })
  }

  #answer(reply: Reply): void {
    const first = this.#waiting[0]
    if (first === undefined || UNINTELLIGIBLE.test(reply.line)) {
      this.#lose(new Error(`it answered ${reply.line.slice(0, 100)}${this.#greeted ? '' : OLD}`))
      return
    }
    const { isWhole, replies } = first
    replies.push(reply)
    if (typeof isWhole === 'number' ? replies.length < isWhole : !isWhole(reply)) return
    this.#waiting.shift()
    first.resolve(replies)
    this.#hold()
  }

  /** Ends this connection, fails what waits for it, and tries again after a while. */
  #lose(error: Error): void {
    const [socket, waiting, wasOfUse] = [this.#socket, this.#waiting, this.#greeted !== undefined]
    this.#socket = undefined
    this.#greeted = undefined
    this.#waiting = []
    this.#stall?.cancel()
    this.#stall = undefined
    this.#lastError = error
    this.#failures++
    socket?.destroy()
    for (const { reject } of waiting) reject(this.#absent())
    if (this.#isClosed) return
    const { clock, random } = this.#options
    const pauseMs = Math.min(RETRY_MS_FIRST * 2 ** (this.#failures - 1), RETRY_MS_LAST) * (0.5 + random() / 2)
    this.#retry?.cancel()
    this.#retry = clock.after(pauseMs, () => {
      this.#opening = this.#open()
    })
    if (wasOfUse) this.#tell()
  }

  #tell(): void {
    for (const onChange of this.#watchers) onChange()
  }

  /** A server that is frozen, or a connection of which only our half is left, is given up. */
  #watchStall(afterMs: number): Timer {
    const { clock, stallTimeoutMs } = this.#options
    return clock.after(afterMs, () => {
      this.#stall = undefined
      const [first] = this.#waiting
      if (first === undefined) return
      const leftMs = first.sentAtMs + stallTimeoutMs - clock.monotonic()
      if (leftMs > 0) this.#stall = this.#watchStall(leftMs)
      else this.#lose(new Error(`it did not answer within ${stallTimeoutMs} ms`))
    })
  }

  #hold(): void {
    if (this.#waiting.length > 0) this.#socket?.ref()
    else this.#socket?.unref()
  }

  #absent(): StoreError {
    const reason = this.#isClosed ? 'is closed' : `is not connected: ${this.#lastError?.message ?? 'it is lost'}`
    return new StoreError(`${this.#name} ${reason}`, { cause: this.#lastError })
  }

  #raise(reason?: string): never {
    throw reason === undefined ? this.#absent() : new StoreError(`${this.#name} ${reason}`)
  }
}

/** A request that is not answered yet. */
interface Waiting {
  /** How many replies it has, or whether a reply is its last. */
  readonly isWhole: number | ((reply: Reply) => boolean)
  readonly replies: Reply[]
  readonly sentAtMs: number
  readonly resolve: (replies: readonly Reply[]) => void
  readonly reject: (error: Error) => void
}

/** The server did not understand a command, so it may take what follows for commands: nothing can be trusted any more. */
const UNINTELLIGIBLE = /^(ERROR|CLIENT_ER)/
const OLD = ' (Memcached 1.6 or later is needed, and its password where it has one)'
const WAITING_MAX = 10_000
const UNSENT_BYTES_MAX = 64 * 1024 ** 2
const RETRY_MS_FIRST = 10
const RETRY_MS_LAST = 1000
