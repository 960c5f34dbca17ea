import { KeyError } from '../core/errors.ts'
import { isPlainObject } from '../core/plain.ts'

/**
 * One key made of several parts, without collisions: different parts give different keys, on every machine.
 *
 * Parts may be strings, numbers (NaN, -0), booleans, `null`, `undefined`, bigints, Dates, arrays and plain objects of
 * those; the order of an object's keys does not matter. `cacheKey('user', 17)` is `user,17`; a string that could be
 * mistaken for another kind, or for several parts, is quoted: `cacheKey('user', '17')` is `user,"17"`. Nothing is hashed.
 *
 * @throws KeyError (`ERR_KEY`) for any other part, for symbol keys, and for what is nested more than 100 deep
 */
export function cacheKey(...parts: readonly unknown[]): string {
  return list(parts, 0)
}

/** Strings that stand as they are: without the separators used below, and unlike any number, bigint or literal. */
const BARE = /^[\w.:/-]+$/
const LOOKS_OTHER = /^(?:-?\d+(?:\.\d+)?(?:e-\d+)?n?|true|false|null|undefined|NaN|-?Infinity)$/

function encode(part: unknown, depth: number): string {
  switch (typeof part) {
    case 'string':
      return BARE.test(part) && !LOOKS_OTHER.test(part) ? part : JSON.stringify(part)
    case 'number':
      return part === 0 && Object.is(part, -0) ? '-0' : `${part}`
    case 'bigint':
      return `${part}n`
    case 'boolean':
    case 'undefined':
      return String(part)
    case 'object':
      return part === null ? 'null' : encodeObject(part, depth + 1)
  }
  throw new KeyError(part, `a ${typeof part} has no stable encoding: give the key as a function of the arguments`)
}

function encodeObject(part: object, depth: number): string {
  if (depth > 100) throw new KeyError(part, 'it contains itself, or is nested more than 100 deep')
  if (part instanceof Date) return `@${part.getTime()}`
  if (Array.isArray(part)) return `[${list(part, depth)}]`
  if (!isPlainObject(part) || Object.getOwnPropertySymbols(part).length > 0)
    throw new KeyError(part, 'only arrays, Dates and plain objects without symbols have a stable encoding')
  const fields = Object.keys(part).sort()
  return `{${fields.map((field) => `${encode(field, depth)}=${encode(part[field], depth)}`).join()}}`
}

function list(parts: readonly unknown[], depth: number): string {
  let text = ''
  for (let at = 0; at < parts.length; at++) text += at === 0 ? encode(parts[at], depth) : `,${encode(parts[at], depth)}`
  return text
}
