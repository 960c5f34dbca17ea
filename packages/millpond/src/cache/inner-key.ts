import { KeyError } from '../core/errors.ts'

/**
 * The key of a namespace as the tiers know it: `\0`, the namespace's path, `:`, the key. Those of the cache itself stand
 * for themselves, so that a plain hit builds no string; one that begins with `\0` is kept apart by an empty path. Names
 * of namespaces hold no `:`, so no two keys meet.
 *
 * @throws KeyError (`ERR_KEY`) when the key is not a string
 */
export function innerKey(prefix: string, key: string): string {
  if (typeof key !== 'string') throw new KeyError(key, 'give a string; cacheKey(...) makes one of other values')
  if (prefix !== '') return prefix + key
  return key.charCodeAt(0) === 0 ? `\0:${key}` : key
}

/** The key as the user knows it; of a namespace, with its path before it. */
export function shownKey(inner: string): string {
  if (inner.charCodeAt(0) !== 0) return inner
  return inner.charCodeAt(1) === COLON ? inner.slice(2) : inner.slice(1)
}

const COLON = 58
