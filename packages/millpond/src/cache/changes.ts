import type { Bus, BusMessage, BusReceiver } from '../core/bus.ts'
import type { FeedListener } from '../core/feed.ts'
import type { Emitter } from './emitter.ts'
import { shownKey } from './inner-key.ts'
import type { NearTier } from './near-tier.ts'
import type { SharedTier } from './shared-tier.ts'
import type { Counters } from './stats.ts'
import { EVERYTHING } from './versions.ts'

/** What invalidations need to know of their cache. */
export interface ChangesOptions {
  /** Name of the cache, on the bus. */
  readonly name: string
  readonly near: NearTier
  readonly shared: SharedTier | undefined
  readonly bus: Bus | undefined
  readonly counters: Counters
  readonly emitter: Emitter
  readonly background: (work: Promise<unknown>) => void
}

/** What is to be voided. Keys and tags as the tiers know them. */
export interface Targets {
  readonly keys?: readonly string[]
  readonly tags?: readonly string[]
}

/**
 * Carries out what voids entries, in the order that leaves no gap: this process, the store, this process again (for what
 * was read from the store in between), the other processes. And receives what others, and the database, have to tell.
 */
export class Changes implements BusReceiver, FeedListener {
  readonly #options: ChangesOptions

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  /** Forgets keys, and all that carries one of the tags, everywhere. */
  async delete(targets: Targets): Promise<void> {
    this.#tell(targets, 'local')
    await this.fence(targets, false)
  }

  /**
   * Makes stale. A store knows no stale copies of others' making: there it is a delete, and the stale value is served
   * from the near tiers.
   */
  async expire(targets: Targets): Promise<void> {
    this.#tell(targets, 'local')
    this.#expireNear(targets)
    const { shared } = this.#options
    if (shared !== undefined) {
      await Promise.all([shared.invalidate(targets.keys ?? [], false), shared.bump(targets.tags ?? [], false)])
      this.#expireNear(targets)
    }
    this.#publish('expire', targets)
  }

  async clear(): Promise<void> {
    const { near, shared, emitter } = this.#options
    emitter.emit('clear', { origin: 'local' })
    near.clear('delete')
    if (shared !== undefined) {
      await shared.bump([EVERYTHING], false)
      near.clear('delete')
    }
    this.#publish('clear', {})
  }

  /**
   * Voids in this process, in the store, and in the other processes. With `held`, what is loaded from now on is put in no
   * store until the next fence; the others are told already now, in case this process dies before it.
   */
  async fence(targets: Targets, held: boolean): Promise<void> {
    const { shared } = this.#options
    this.#deleteNear(targets, 'delete')
    if (shared !== undefined) {
      await Promise.all([shared.invalidate(targets.keys ?? [], held), shared.bump(targets.tags ?? [], held)])
      this.#deleteNear(targets, 'delete')
    }
    this.publishDelete(targets)
  }

  /** Tells other processes that what they have of this is old. */
  publishDelete(targets: Targets): void {
    this.#publish(targets.tags?.includes(EVERYTHING) ? 'clear' : 'delete', targets)
  }

  message(message: BusMessage): void {
    const { name, near, shared, emitter } = this.#options
    if (message.cache !== name) return
    shared?.forgetVersions(message.kind === 'clear' ? undefined : (message.tags ?? []))
    if (message.kind === 'clear') {
      near.clear('invalidate')
      emitter.emit('clear', { origin: 'bus' })
      return
    }
    this.#tell(message, 'bus')
    if (message.kind === 'delete') this.#deleteNear(message, 'invalidate')
    else this.#expireNear(message)
  }

  gap(): void {
    const { near, shared, emitter } = this.#options
    shared?.forgetVersions()
    near.clear('invalidate')
    emitter.emit('busGap', {})
  }

  invalidate(tags: readonly string[]): void {
    this.#options.near.unsettle(tags)
    this.#tell({ tags }, 'feed')
  }

  settle(tags: readonly string[]): void {
    this.#options.near.settle(tags)
  }

  reset(reason: string): void {
    this.#options.near.resetFeed()
    this.#options.emitter.emit('feedReset', { reason })
  }

  #deleteNear({ keys, tags }: Targets, reason: 'delete' | 'invalidate'): void {
    if (keys !== undefined) this.#options.near.deleteKeys(keys, reason)
    if (tags !== undefined) this.#options.near.deleteTags(tags)
  }

  #expireNear({ keys, tags }: Targets): void {
    if (keys !== undefined) this.#options.near.expireKeys(keys)
    if (tags !== undefined) this.#options.near.expireTags(tags)
  }

  #publish(kind: BusMessage['kind'], targets: Targets): void {
    const { bus, name, background, emitter } = this.#options
    if (bus === undefined || (kind !== 'clear' && isEmpty(targets))) return
    // A bus that throws instead of rejecting is no trouble of who changed something either.
    const send = async (): Promise<void> => bus.publish({ cache: name, kind, ...targets })
    background(send().catch((error: unknown) => emitter.emit('busError', { error })))
  }

  #tell({ keys, tags }: Targets, origin: 'local' | 'bus' | 'feed'): void {
    const { counters, emitter } = this.#options
    counters.invalidations += (keys?.length ?? 0) + (tags?.length ?? 0)
    emitter.emit('invalidate', {
      ...(keys === undefined ? {} : { keys: keys.map(shownKey) }),
      ...(tags === undefined ? {} : { tags }),
      origin,
    })
  }
}

function isEmpty({ keys = [], tags = [] }: Targets): boolean {
  return keys.length + tags.length === 0
}
