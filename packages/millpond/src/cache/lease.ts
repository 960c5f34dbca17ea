import type { Hold } from './entry.ts'
import { changedSince, type Tag, type TagRegistry, unsettled } from './tags.ts'

/**
 * The permission to store what is loaded for a key, taken when the load begins. Any invalidation of the key, of one of
 * the tags or of everything in between voids it: the caller still gets the value, and nothing is stored (Nishtala et al.,
 * "Scaling Memcache at Facebook", NSDI 2013). It must be ended once, by `end` or by handing its tags to an entry.
 */
export class Lease implements Hold {
  readonly #registry: TagRegistry
  readonly #key: Tag[]
  began: number
  tags: Tag[]
  fed: boolean
  /** Whether the feed was whole when the load began: else it may have missed what it should have told. */
  feedWasWhole: boolean
  #ended = false
  #namedLate = false

  constructor(registry: TagRegistry, key: string, tagNames: readonly string[], feed: { fed: boolean; whole: boolean }) {
    this.#registry = registry
    this.#key = registry.hold([keyTag(key)])
    this.tags = registry.hold(tagNames)
    this.began = registry.beginLoad()
    this.fed = feed.fed
    this.feedWasWhole = feed.whole
  }

  /** The load begins only now, not when the lease was taken: what was invalidated until now does not matter to it. */
  restart(feedIsWhole: boolean): void {
    if (this.began >= 0) this.began = this.#registry.sequence
    this.feedWasWhole = feedIsWhole
  }

  /** Another load of the key takes its place: nothing that comes of this one may be stored after that one's. */
  void(): void {
    this.began = -1
  }

  /** Takes hold of tags that the loader named at its end. */
  addTags(names: readonly string[], fed: boolean): void {
    const added = names.filter((name) => !this.tags.some((tag) => tag.name === name))
    if (added.length === 0) return
    this.tags.push(...this.#registry.hold(added))
    this.fed ||= fed
    this.#namedLate = true
  }

  /** Nothing that it knows of was invalidated or made stale since the load began: later readers may share the load. */
  get holds(): boolean {
    return (
      this.#registry.allInvalidatedAt <= this.began &&
      !changedSince(this.#key, this.began) &&
      !changedSince(this.tags, this.began)
    )
  }

  /**
   * Whether what was loaded may miss an invalidation that a reader who joined at `joinedAt` came after. Tags that were
   * named early were judged when the reader joined; those that were named late can be judged only now.
   */
  mayPredate(joinedAt: number): boolean {
    return this.#namedLate && joinedAt > this.began && !(this.holds && this.#registry.remembers(this.began))
  }

  /** What was loaded may be stored. */
  get mayStore(): boolean {
    return (
      this.holds &&
      !unsettled(this.tags) &&
      (!this.#namedLate || this.#registry.remembers(this.began)) &&
      (!this.fed || this.feedWasWhole)
    )
  }

  /** Ends the lease; its tags are released, or pass to the entry that was stored. */
  end(tagsPassOn: boolean): void {
    if (this.#ended) return
    this.#ended = true
    this.#registry.release(this.#key)
    if (!tagsPassOn) this.#registry.release(this.tags)
    this.#registry.endLoad()
  }
}

/** The tag that stands for a key while it is being loaded. No tag of a user begins with \0. */
export function keyTag(key: string): string {
  return `\0\0${key}`
}
