import { EventHub } from '../core/event-hub.ts'
import type { Logger } from '../core/logger.ts'
import type { CacheEvents } from './events.ts'

/** Tells the events of a cache: to listeners, and on channels `millpond:<name>` with messages `{ cache, ...event }`. */
export class Emitter extends EventHub<CacheEvents> {
  readonly #hits = this.ear('hit')

  constructor(cache: string, logger: Logger) {
    super({ cache }, 'millpond:', logger)
  }

  /** Whether anyone would hear of a hit: asked on every read, so that a hit nobody listens to allocates nothing. */
  get hearsHits(): boolean {
    return this.#hits.hears
  }
}
