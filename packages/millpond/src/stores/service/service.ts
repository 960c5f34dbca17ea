import { type Clock, systemClock } from '../../core/clock.ts'
import type { Duration } from '../../core/duration.ts'
import { positiveMs } from '../../core/duration.ts'
import type { ServiceError } from '../../core/errors.ts'
import type { Store } from '../../core/store.ts'
import { busOver, type ServiceBus } from './bus.ts'
import { cachesOf, type ServiceCaches } from './caches.ts'
import type { Greeting } from './greeting.ts'
import type { Link } from './link.ts'
import { monitorOver } from './monitor.ts'
import {
  linkOf,
  type ServiceBusOptions,
  type ServiceOptions,
  type ServiceStoreOptions,
  storeSettingsOf,
} from './options.ts'
import type { ServiceReply } from './reply-reader.ts'
import { ServiceStore } from './store.ts'
import { type ServiceTokens, tokensOf } from './tokens.ts'
import { type ServiceTopic, Topics } from './topics.ts'
import type { CommandWord } from './words.ts'

/** How one command is sent. */
export interface CallOptions {
  /** Strings of the answer stay bytes. Default: they are text in UTF-8. */
  asBytes?: boolean
  /** How long it may take. `'forever'`, for commands that wait. Default: the service's `timeout`. */
  timeout?: Duration | 'forever'
}

/** How the connection to a service does. */
export interface ServiceStatus {
  readonly connected: boolean
  /** How often it was opened anew. */
  readonly reconnects: number
  /** Commands that wait for an answer, or for a connection. */
  readonly waiting: number
  /** Why there is no connection, or was none the last time. */
  readonly error: ServiceError | undefined
}

/** What is told of a connection: with a greeting there is one, with an error there is none any more. */
export interface ServiceListener {
  /** There is a connection, and the server has said what it is. */
  up?(greeting: Greeting): void
  /** It is gone, or could not be made. */
  down?(error: ServiceError): void
}

/** One cache of a service, and, for an admin, the service itself. */
export interface Service {
  /** Host and port, or the path of a socket. */
  readonly place: string
  /** Which cache is meant. */
  readonly cache: string
  /** Resolves when it is connected, with what the server says of itself. @throws ServiceError */
  ready(): Promise<Greeting>
  /** Runs a command, name and arguments a word each. Commands of one turn travel together. @throws ServiceError */
  command(...words: readonly CommandWord[]): Promise<ServiceReply>
  /** As `command`, with options. @throws ServiceError */
  call(words: readonly CommandWord[], options?: CallOptions): Promise<ServiceReply>
  /** A shared tier on it, for `createCache`. */
  store(options?: ServiceStoreOptions): Store
  /** A bus on it, for `createCache`: it listens on a connection of its own. */
  bus(options?: ServiceBusOptions): ServiceBus
  /** A channel with numbered messages. */
  topic(name: string): ServiceTopic
  /** Caches of the service, for an admin. */
  readonly caches: ServiceCaches
  /** Tokens of the service, for an admin. */
  readonly tokens: ServiceTokens
  /**
   * Hears every command that the cache is given, a line each, on a connection of its own. Returns what stops it.
   *
   * @param onEnd is told when the connection has ended by itself
   * @throws ServiceError
   */
  monitor(hear: (line: string) => void, onEnd?: (error: ServiceError) => void): Promise<() => void>
  /** How the connection is now. */
  status(): ServiceStatus
  /** Listens to connections that come and go. Returns what stops it. */
  watch(listener: ServiceListener): () => void
  /** Waits for the answers that are due, and ends the connection. */
  close(): Promise<void>
  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A client of `millpond serve`. It connects when it is first used, and again, with growing pauses, when the connection breaks.
 * Meanwhile commands wait, up to `timeout`; those that were under way fail, because they may have been done.
 *
 * @param url `millpond://cache:token@host:6379`; `millponds://` or `rediss://` with TLS; `unix:///path` for a socket
 * @throws OptionError (`ERR_OPTION`)
 *
 * ```ts
 * const service = connectService('millpond://localhost')
 * const cache = createCache({ name: 'shop', store: service.store(), bus: service.bus() })
 * ```
 */
export function connectService(url: string, options: ServiceOptions = {}): Service {
  return new LinkedService(linkOf(url, options, 'url'), options)
}

/** A store on a service; `close()` ends what was opened from a URL. See `connectService`. */
export function serviceStore(target: Service | string, options: ServiceOptions & ServiceStoreOptions = {}): Store {
  if (typeof target !== 'string') return target.store(options)
  const link = linkOf(target, options, 'url')
  return new ServiceStore(link, storeSettingsOf(options), options.clock ?? systemClock, () => link.close())
}

/** A bus on a service; `close()` ends what was opened from a URL. See `connectService`. */
export function serviceBus(target: Service | string, options: ServiceOptions & ServiceBusOptions = {}): ServiceBus {
  if (typeof target !== 'string') return target.bus(options)
  const link = linkOf(target, options, 'url')
  return busOver(link, options, () => link.close())
}

class LinkedService implements Service {
  readonly place: string
  readonly cache: string
  readonly caches: ServiceCaches
  readonly tokens: ServiceTokens
  readonly #link: Link
  readonly #options: ServiceOptions
  readonly #clock: Clock
  readonly #topics: Topics

  constructor(link: Link, options: ServiceOptions) {
    this.place = link.address.place
    this.cache = link.address.cache ?? 'default'
    this.#link = link
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#topics = new Topics(link)
    this.caches = cachesOf(link)
    this.tokens = tokensOf(link)
  }

  ready(): Promise<Greeting> {
    return this.#link.ready()
  }

  command(...words: readonly CommandWord[]): Promise<ServiceReply> {
    return this.#link.send(words)
  }

  async call(words: readonly CommandWord[], { asBytes = false, timeout }: CallOptions = {}): Promise<ServiceReply> {
    const timeoutMs = timeout === 'forever' ? Number.POSITIVE_INFINITY : timeout && positiveMs(timeout, 'timeout')
    return await this.#link.send(words, { asBytes, ...(timeoutMs !== undefined && { timeoutMs }) })
  }

  store(options: ServiceStoreOptions = {}): Store {
    return new ServiceStore(this.#link, storeSettingsOf(options), this.#clock, async () => {})
  }

  bus(options: ServiceBusOptions = {}): ServiceBus {
    return busOver(this.#link, { ...this.#options, ...options }, async () => {})
  }

  topic(name: string): ServiceTopic {
    return this.#topics.topic(name)
  }

  monitor(hear: (line: string) => void, onEnd?: (error: ServiceError) => void): Promise<() => void> {
    return monitorOver(this.#link, hear, onEnd)
  }

  status(): ServiceStatus {
    const { isUp, reconnects, waiting, lastError } = this.#link
    return { connected: isUp, reconnects, waiting, error: lastError }
  }

  watch(listener: ServiceListener): () => void {
    return this.#link.listen(listener)
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
