import type { BusMessage } from '../../core/bus.ts'
import { storedOf } from '../../core/stored-name.ts'
import { Names } from '../names.ts'

/** Keys of servers, as messages about the caches that they belong to. */
export class TrackedNames {
  readonly #caches: readonly string[]
  readonly #names: Names
  /** What the keys of these caches begin with. */
  readonly prefixes: readonly string[]

  constructor(caches: readonly string[], prefix: string) {
    this.#caches = [...new Set(caches)]
    this.#names = new Names(prefix)
    this.prefixes = this.#caches.flatMap((cache) => [`${prefix}${cache}:`, `${prefix}${cache}/`, `${prefix}#${cache}#`])
  }

  /** One message a cache. `undefined`: all keys may have been written, as by FLUSHALL. */
  messages(keys: readonly string[] | undefined): BusMessage[] {
    if (keys === undefined) return this.#caches.map(clear)
    const found = new Map<string, { keys: string[]; tags: string[] }>()
    for (const key of keys) {
      const stored = storedOf(this.#names.told(key) ?? '')
      if (stored === undefined || !this.#caches.includes(stored.cache)) continue
      let lists = found.get(stored.cache)
      if (lists === undefined) found.set(stored.cache, (lists = { keys: [], tags: [] }))
      if (stored.tag === undefined) lists.keys.push(stored.key)
      else lists.tags.push(stored.tag)
    }
    // The tag of everything has no name.
    return [...found].map(([cache, { keys, tags }]) =>
      tags.includes('') ? clear(cache) : { cache, kind: 'delete', keys, tags },
    )
  }
}

function clear(cache: string): BusMessage {
  return { cache, kind: 'clear' }
}
