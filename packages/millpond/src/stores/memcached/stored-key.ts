/** The keys that Memcached is given: at most 250 bytes of ASCII without spaces, for names of any text, no two alike. */
import { createHash } from 'node:crypto'

/** What stands under a key: an entry, the version of a tag, a lease. */
export type KeyKind = 'e' | 't' | 'l'

/** The longest prefix that leaves room for a name. */
export const PREFIX_BYTES_MAX = 100

/**
 * The key of a name: `millpond:e:shop:17`. Every UTF-16 unit that is not printable ASCII, and `%`, becomes `%` with four
 * hexadecimal digits. What is longer than a key may be becomes `%=` and its SHA-256: two names with one such key would
 * be the first collision that anybody has found, so the name itself is not stored beside the value.
 */
export function storedKey(prefix: string, kind: KeyKind, name: string): string {
  const key = `${prefix}${kind}:${PLAIN.test(name) ? name : name.replace(ODD, escaped)}`
  if (key.length <= KEY_BYTES_MAX) return key
  return `${prefix}${kind}:%=${createHash('sha256').update(name, 'utf16le').digest('base64url')}`
}

function escaped(unit: string): string {
  return `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const KEY_BYTES_MAX = 250
const PLAIN = /^[!-$&-~]*$/
const ODD = /[^!-$&-~]/g
