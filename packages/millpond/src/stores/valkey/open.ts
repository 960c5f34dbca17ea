/**
 * Connections from a URL: the client is loaded from what the application has installed, made with settings that suit a
 * cache (fail at once while there is no connection, connect again soon, send nothing twice), and ended with the store.
 */
import type { ConnectionOptions } from 'node:tls'
import { type Clock, timeLimit } from '../../core/clock.ts'
import { ClosedError, StoreError } from '../../core/errors.ts'
import { loadPackage } from '../../core/late-package.ts'
import { type Recognised, recognise } from './client.ts'
import { type Connection, connectionOver, failedAt } from './connection.ts'
import { ioClient, nodeRedisClient, reconnectDelayMs } from './make-client.ts'
import { Silence } from './silence.ts'
import type { Place } from './url.ts'

/** What a URL does not say. */
export interface OpenOptions {
  /** Options of TLS: `ca`, and `cert` and `key` where the server asks for a client certificate. */
  readonly tls?: ConnectionOptions
  /** How Sentinels themselves are logged in to, where they ask for it. */
  readonly sentinel?: { readonly username?: string; readonly password: string }
  /** Connecting takes no longer. */
  readonly connectTimeoutMs: number
  readonly clock: Clock
}

/** The packages that are looked for, in this order. */
const PACKAGES = ['iovalkey', 'ioredis', 'redis'] as const

/** What a connection that is opened late is told besides. */
export interface LateOptions extends OpenOptions {
  /** A connection on which a command is not answered for so long is replaced. */
  readonly stallTimeoutMs: number
}

/**
 * A connection that is opened when it is first used. One that could not be opened, or is dead without a sign, is opened
 * anew by the next use.
 */
export class LateConnection implements Connection {
  readonly isCluster: boolean
  readonly #open: () => Promise<Opened>
  readonly #watchers = new Set<{ readonly onDoubt: () => void }>()
  #opening: Promise<Connection> | undefined
  /** Once it is open. */
  #now: Connection | undefined
  #end: (() => Promise<void>) | undefined
  #isClosed = false
  #failures = 0
  #notBeforeMs = 0
  readonly #clock: Clock
  readonly #silence: Silence

  constructor(place: Place, options: LateOptions) {
    this.isCluster = place.topology === 'cluster'
    this.#open = () => openClient(place, options)
    const { clock, stallTimeoutMs: limitMs } = options
    this.#clock = clock
    this.#silence = new Silence({ clock, limitMs, onSilence: () => this.#replace() })
  }

  /** Asking opens it, after a pause where that failed: who only wants to know may ask a thousand times a second. */
  get isReady(): boolean {
    if (this.#now === undefined && this.#clock.monotonic() >= this.#notBeforeMs) this.#opened().catch(() => undefined)
    return this.#now?.isReady ?? false
  }

  send(args: string[], key?: string): Promise<unknown> {
    if (this.#now !== undefined) return this.#silence.watch(this.#now.send(args, key))
    return this.#opened().then((connection) => this.#silence.watch(connection.send(args, key)))
  }

  sendRead(args: string[], key?: string): Promise<unknown> {
    if (this.#now !== undefined) return this.#silence.watch(this.#now.sendRead(args, key))
    return this.#opened().then((connection) => this.#silence.watch(connection.sendRead(args, key)))
  }

  sendToPrimaries(args: string[]): Promise<unknown[]> {
    return this.#opened().then((connection) => this.#silence.watch(connection.sendToPrimaries(args)))
  }

  watch(onDoubt: () => void): () => void {
    const watcher = { onDoubt }
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#watchers.clear()
    this.#silence.stop()
    await this.#opening?.catch(() => undefined)
    this.#now = undefined // not before: it may have been on its way
    await this.#end?.()
  }

  #opened(): Promise<Connection> {
    if (this.#isClosed) return Promise.reject(new ClosedError('the store'))
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined
      this.#notBeforeMs = this.#clock.monotonic() + reconnectDelayMs(++this.#failures)
      throw error
    })
    return this.#opening
  }

  async #connect(): Promise<Connection> {
    const { recognised, reason } = await this.#open()
    this.#end = () => endClient(recognised)
    const connection = connectionOver(recognised, reason)
    connection.watch(() => this.#doubt())
    // A client that has ended by itself connects no more.
    recognised.client.on('end', () => {
      if (this.#now === connection) this.#replace()
    })
    this.#now = connection
    this.#failures = 0
    return connection
  }

  #doubt(): void {
    for (const { onDoubt } of this.#watchers) onDoubt()
  }

  /** What is opened next is another connection, whatever comes of this one's last commands. */
  #replace(): void {
    const end = this.#end
    this.#now = undefined
    this.#opening = undefined
    this.#end = undefined
    end?.().catch(() => undefined)
    this.#doubt()
  }
}

/** A client, and what its 'error' events say is wrong with its connection now. */
interface Opened {
  readonly recognised: Recognised
  readonly reason: () => unknown
}

/** A connected client. Throws StoreError when there is no package, or no server in time; nothing is left open then. */
export async function openClient(place: Place, options: OpenOptions): Promise<Opened> {
  const { name, module } = await loadClient()
  const made = name === 'redis' ? nodeRedisClient(module, place, options) : ioClient(module, place, options)
  const recognised = recognise(made, name)
  const reason = reasonOf(recognised)
  try {
    const late = () => {
      throw new Error(`no connection within ${options.connectTimeoutMs} ms`)
    }
    await timeLimit<unknown>(options.clock, options.connectTimeoutMs, () => recognised.client.connect(), late)
    return { recognised, reason }
  } catch (cause) {
    await endClient(recognised).catch(() => undefined)
    throw failedAt('connect', cause, reason())
  }
}

/**
 * Without a listener, an 'error' would end the process. What it says is true until a connection is ready again: not that very
 * one, which iovalkey and ioredis may call ready although it was not let in, and then end.
 */
function reasonOf({ kind, client }: Recognised): () => unknown {
  let reason: unknown
  let isOfThis = false
  client.on('error', (error: unknown) => {
    reason = error
    isOfThis = kind === 'io'
  })
  client.on('connect', () => {
    isOfThis = false
  })
  for (const event of ['ready', 'node-ready']) {
    client.on(event, () => {
      if (!isOfThis) reason = undefined
    })
  }
  return () => reason
}

/** Ends a client that was opened here. */
export async function endClient({ kind, client }: Recognised): Promise<void> {
  if (kind === 'io' || kind === 'io-cluster') {
    if (client.status !== 'end') client.disconnect() // a second time leaves a timer that holds the process
  } else if (client.isOpen) await client.destroy()
}

/** The first package that is installed: beside this library or, as strict installs keep the two apart, beside the application. */
export async function loadClient(
  load: (name: string) => Promise<unknown> = loadPackage,
): Promise<{ name: string; module: unknown }> {
  for (const name of PACKAGES) {
    const module = await load(name).catch(() => undefined)
    if (module !== undefined) return { name, module }
  }
  throw new StoreError(
    'a URL needs a client to be installed: run `npm install iovalkey` (or ioredis, or redis), or pass a client instead of the URL',
  )
}
