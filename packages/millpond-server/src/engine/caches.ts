/** The caches of one server, by name. */
import { Cache, type CacheOptions } from './cache.ts'
import { ReplyError } from './errors.ts'

export class Caches {
  readonly #byName = new Map<string, Cache>()

  /** Makes a cache. @throws ReplyError when there is one with this name */
  create(options: CacheOptions): Cache {
    const { name = 'default' } = options
    if (this.#byName.has(name)) throw new ReplyError(`there is a cache '${name}' already`, 'EXISTS')
    const cache = new Cache(options)
    this.#byName.set(name, cache)
    return cache
  }

  /** The cache of a name, if there is one. */
  get(name: string): Cache | undefined {
    return this.#byName.get(name)
  }

  /** Lets go of a cache with all that is in it. Returns whether there was one. */
  delete(name: string): boolean {
    this.#byName.get(name)?.stop()
    return this.#byName.delete(name)
  }

  [Symbol.iterator](): IterableIterator<Cache> {
    return this.#byName.values()
  }

  /** Clears away what expires, in all. */
  start(): void {
    for (const cache of this) cache.start()
  }

  /** Ends that. */
  stop(): void {
    for (const cache of this) cache.stop()
  }
}
