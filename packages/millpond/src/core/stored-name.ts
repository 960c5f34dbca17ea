/**
 * The names by which caches ask stores: `shop:17` is the key 17 of the cache shop, `shop/users:17` one of its namespace
 * users, `shop#hot` the version of the tag hot. Names of caches and namespaces hold none of `:`, `/`, `#`, so no two meet.
 */

/** The name of a key as the tiers know it: of a namespace, `\0`, its path, `:`, the key. */
export function storedKey(cache: string, key: string): string {
  if (key.charCodeAt(0) !== 0) return `${cache}:${key}`
  return `${cache}${key.charCodeAt(1) === COLON ? '' : '/'}${key.slice(1)}`
}

/** The name of a tag's version. */
export function storedTag(cache: string, tag: string): string {
  return `${cache}#${tag}`
}

/** What a name stands for, and in which cache; `undefined` where no cache makes such a name. */
export function storedOf(name: string): Stored | undefined {
  const [, cache, separator, rest] = STORED.exec(name) ?? []
  if (cache === undefined || rest === undefined) return undefined
  if (separator === '#') return { cache, tag: rest }
  if (separator === '/') return { cache, key: `\0${rest}` }
  return { cache, key: rest.charCodeAt(0) === 0 ? `\0:${rest}` : rest }
}

/** A key or a tag of a cache, as its tiers know it. */
export type Stored =
  | { readonly cache: string; readonly key: string; readonly tag?: undefined }
  | { readonly cache: string; readonly tag: string; readonly key?: undefined }

const COLON = 58
const STORED = /^([\w.-]+)([:/#])(.*)$/s
