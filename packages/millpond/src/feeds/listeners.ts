import type { FeedListener } from '../core/feed.ts'
import type { Logger } from '../core/logger.ts'

/** All who listen to a feed. One that throws is reported and does not keep the others from being told. */
export class Listeners {
  private readonly all = new Set<FeedListener>()
  private readonly logger: Logger

  constructor(logger: Logger) {
    this.logger = logger
  }

  get size(): number {
    return this.all.size
  }

  /** Returns what removes the listener; that returns whether it was still there. */
  add(listener: FeedListener): () => boolean {
    // The same object may subscribe twice: each subscription is one of its own.
    const own: FeedListener = {
      invalidate: (tags) => listener.invalidate(tags),
      settle: (tags) => listener.settle(tags),
      reset: (reason) => listener.reset(reason),
    }
    this.all.add(own)
    return () => this.all.delete(own)
  }

  invalidate(tags: readonly string[]): void {
    this.tell((listener) => listener.invalidate(tags))
  }

  settle(tags: readonly string[]): void {
    this.tell((listener) => listener.settle(tags))
  }

  reset(reason: string): void {
    this.tell((listener) => listener.reset(reason))
  }

  private tell(what: (listener: FeedListener) => void): void {
    for (const listener of this.all) {
      try {
        what(listener)
      } catch (error) {
        this.logger.error({ error }, 'a listener of the feed threw')
      }
    }
  }
}
