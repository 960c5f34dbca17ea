import type { DependentRows } from '../core/feed.ts'
import type { CacheHost } from './host.ts'
import { cacheKey } from './key.ts'
import type { DependencyOptions, EntryOptions, GetOrSetOptions } from './options.ts'

/** Options of `cache.wrap`: those of an entry, and where its key and tags come from. */
export interface WrapOptions<A extends readonly unknown[], V>
  extends Omit<EntryOptions<V>, 'tags'>,
    Pick<DependencyOptions, 'tables'> {
  /**
   * A name, to which the arguments are appended without collisions (`'user'` and `(17)` give `user(17)`; see `cacheKey`
   * for what they may be), or a function that makes the whole key.
   */
  key: string | ((...args: A) => string)
  /** Labels to invalidate by, known before the call: an invalidation that comes during the load voids it. */
  tags?: readonly string[] | ((...args: A) => readonly string[])
  /** Only changes of rows with these values, before or after, make the value old: see `DependencyOptions`. */
  rows?: readonly DependentRows[] | ((...args: A) => readonly DependentRows[])
  /** More labels, which only the value tells. */
  tagsOf?: (value: V, ...args: A) => readonly string[]
}

/** A function that reads through the cache. `this` is handed on to the function, and is no part of the key. */
export interface Wrapped<A extends readonly unknown[], V> {
  (...args: A): Promise<V>
  /** Forgets what is kept for these arguments, everywhere. */
  invalidate(...args: A): Promise<void>
  /** Calls the function now (with `this` undefined), keeps what it returns, and returns it. */
  refresh(...args: A): Promise<V>
  /** The fresh value for these arguments, if the near tier has it. Leaves no trace. */
  peek(...args: A): V | undefined
  /** The key of these arguments. */
  key(...args: A): string
}

/** Makes a function with the signature of `fn` that reads through `host`. */
export function wrap<A extends readonly unknown[], V>(
  host: CacheHost,
  fn: (...args: A) => V | PromiseLike<V>,
  options: WrapOptions<A, V>,
): Wrapped<A, V> {
  const { key: name, tags, rows, tagsOf, ...entry } = options
  const prefix = typeof name === 'function' ? '' : `${cacheKey(name)}(`
  const keyOf = typeof name === 'function' ? name : (...args: A) => `${prefix}${cacheKey(...args)})`
  const optionsOf = (args: A): GetOrSetOptions<V> => {
    if (!tags && !rows) return entry
    const given = { tags: typeof tags === 'function' ? tags(...args) : (tags ?? []) }
    return { ...entry, ...given, ...(rows && { rows: typeof rows === 'function' ? rows(...args) : rows }) }
  }
  const loaderOf = (self: unknown, args: A) => async (ctx: { set(options: EntryOptions<V>): void }) => {
    const value = await fn.apply(self, args as never)
    if (tagsOf) ctx.set({ tags: tagsOf(value, ...args) })
    return value
  }
  return Object.assign(
    function (this: unknown, ...args: A): Promise<V> {
      try {
        return host.getOrSet(keyOf(...args), loaderOf(this, args), optionsOf(args))
      } catch (error) {
        return Promise.reject(error)
      }
    },
    {
      invalidate: async (...args: A) => host.delete(keyOf(...args)),
      refresh: async (...args: A) => host.refresh(keyOf(...args), loaderOf(undefined, args), optionsOf(args)),
      peek: (...args: A) => host.peek<V>(keyOf(...args)),
      key: keyOf,
    },
  )
}
