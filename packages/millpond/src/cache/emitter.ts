import type { Logger } from '../core/logger.ts'
import { builtin } from '../core/platform.ts'
import type { CacheEvents } from './events.ts'

/** The slice of `node:diagnostics_channel` that is called. */
interface Diagnostics {
  channel(name: string): { readonly hasSubscribers: boolean; publish(message: unknown): void }
}

/**
 * Tells events to listeners and to `node:diagnostics_channel`, where each name has a channel `millpond:<name>` with
 * messages `{ cache, ...event }`. Costs a test of two fields until someone listens.
 */
export class Emitter {
  readonly #cache: string
  readonly #logger: Logger
  readonly #listeners = new Map<string, Set<(event: never) => void>>()
  readonly #channels = new Map<string, ReturnType<Diagnostics['channel']>>()
  readonly #hits: ReturnType<Diagnostics['channel']> | undefined
  #hitListeners = 0

  constructor(cache: string, logger: Logger) {
    this.#cache = cache
    this.#logger = logger
    const diagnostics = builtin<Diagnostics>('node:diagnostics_channel')
    for (const name of diagnostics === undefined ? [] : EVENT_NAMES) {
      this.#channels.set(name, diagnostics!.channel(`millpond:${name}`))
    }
    this.#hits = this.#channels.get('hit')
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
    const channel = this.#channels.get(name)
    if (channel?.hasSubscribers) channel.publish({ cache: this.#cache, ...event })
    for (const listen of this.#listeners.get(name) ?? []) {
      try {
        ;(listen as (event: CacheEvents[Name]) => void)(event)
      } catch (error) {
        this.#logger.error({ error, event: name, cache: this.#cache }, 'a listener of a cache event threw')
      }
    }
  }
}

/** Every event name, checked against the type so that none is missing or misspelt. */
const EVENT_NAMES = Object.keys({
  hit: 0,
  miss: 0,
  load: 0,
  loadError: 0,
  set: 0,
  invalidate: 0,
  clear: 0,
  remove: 0,
  storeError: 0,
  storeState: 0,
  busGap: 0,
  busError: 0,
  feedReset: 0,
  decodeError: 0,
  encodeError: 0,
  writeBehindError: 0,
} satisfies Record<keyof CacheEvents, 0>)
