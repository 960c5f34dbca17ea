import type { Logger } from '../core/logger.ts'
import { builtin } from '../core/platform.ts'
import type { CacheEvents } from './events.ts'

/** The slice of `node:diagnostics_channel` that is called. */
interface Diagnostics {
  channel(name: string): Channel
}

interface Channel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

/**
 * Tells events to listeners and to `node:diagnostics_channel`, where each name has a channel `millpond:<name>` with
 * messages `{ cache, ...event }`. Costs a test of two fields until someone listens.
 */
export class Emitter {
  readonly #cache: string
  readonly #logger: Logger
  readonly #listeners = new Map<string, Set<(event: never) => void>>()
  readonly #diagnostics = builtin<Diagnostics>('node:diagnostics_channel')
  readonly #channels = new Map<string, Channel>()
  readonly #hits = this.#channel('hit')
  #hitListeners = 0

  constructor(cache: string, logger: Logger) {
    this.#cache = cache
    this.#logger = logger
  }

  /** Whether anyone would hear of a hit: asked on every read, so that a hit nobody listens to allocates nothing. */
  get hearsHits(): boolean {
    return this.#hitListeners > 0 || this.#hits?.hasSubscribers === true
  }

  on<Name extends keyof CacheEvents>(name: Name, listen: (event: CacheEvents[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listen))
    this.#hitListeners = this.#listeners.get('hit')?.size ?? 0
    return () => {
      listeners.delete(listen)
      this.#hitListeners = this.#listeners.get('hit')?.size ?? 0
    }
  }

  emit<Name extends keyof CacheEvents>(name: Name, event: CacheEvents[Name]): void {
    const channel = this.#channel(name)
    if (channel?.hasSubscribers) channel.publish({ cache: this.#cache, ...event })
    for (const listen of this.#listeners.get(name) ?? []) {
      try {
        ;(listen as (event: CacheEvents[Name]) => void)(event)
      } catch (error) {
        this.#logger.error({ error, event: name, cache: this.#cache }, 'a listener of a cache event threw')
      }
    }
  }
  /** The channel of an event; made when the event first happens, because most never do. */
  #channel(name: keyof CacheEvents): Channel | undefined {
    let channel = this.#channels.get(name)
    if (channel === undefined && this.#diagnostics !== undefined) {
      channel = this.#diagnostics.channel(`millpond:${name}`)
      this.#channels.set(name, channel)
    }
    return channel
  }
}
