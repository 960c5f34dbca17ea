import { ValueError } from './errors.ts'
import { isPlainObject } from './plain.ts'

/**
 * Makes a value safe to share: freezes plain objects, arrays, dates, maps and sets all the way down. Returns whether it
 * holds bytes, which cannot be frozen: such a value must be copied for each reader.
 *
 * An instance of a class is frozen together with the plain data it holds; instances and bytes inside it are left alone,
 * because they tend to be shared (a `pg` result refers to the type parsers of its connection), and because a copy of it
 * would no longer be an instance.
 */
export function deepFreeze(value: unknown): boolean {
  return freeze(value, new Set(), false)
}

function freeze(value: unknown, seen: Set<object>, insideInstance: boolean): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false
  seen.add(value)
  if (isBytes(value)) return true
  const isInstance = !isPlain(value) && mutators(value).length === 0
  if (isInstance && insideInstance) return false
  let bytes = false
  const inside = (part: unknown): void => {
    if (freeze(part, seen, isInstance) && !isInstance) bytes = true
  }
  if (value instanceof Map) for (const pair of value) pair.forEach(inside)
  else if (value instanceof Set) value.forEach(inside)
  else for (const name of Object.keys(value)) inside((value as Record<string, unknown>)[name])
  for (const method of mutators(value)) hide(value, method)
  Object.freeze(value)
  return bytes
}

/** A map, a set and a date keep their content where `Object.freeze` does not reach: their changing methods are covered. */
function mutators(value: object): readonly string[] {
  if (value instanceof Map || value instanceof Set) return ['set', 'add', 'delete', 'clear']
  return value instanceof Date ? DATE_SETTERS : []
}

const DATE_SETTERS = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'))

function hide(value: object, method: string): void {
  if (Object.isExtensible(value)) Object.defineProperty(value, method, { value: refuse })
}

function refuse(): never {
  throw new TypeError('this value is shared by the cache and frozen; copy it before you change it')
}

/**
 * A copy that shares nothing with the original that can change. `frozen`, of a value that `deepFreeze` has frozen: the copy
 * is frozen but for its bytes, and shares instances of classes and functions.
 */
export function deepCopy<V>(value: V, frozen: boolean): V {
  return copy(value, frozen, new Map()) as V
}

function copy(value: unknown, frozen: boolean, seen: Map<object, unknown>): unknown {
  if (!frozen && (typeof value === 'function' || typeof value === 'symbol'))
    throw new ValueError(undefined, `a ${typeof value} cannot be copied`)
  if (typeof value !== 'object' || value === null) return value
  if (frozen && !isPlain(value) && !isBytes(value) && mutators(value).length === 0) return value
  const known = seen.get(value)
  if (known !== undefined) return known
  const made = empty(value)
  seen.set(value, made)
  const inner = (part: unknown): unknown => copy(part, frozen, seen)
  if (value instanceof Map)
    for (const [key, part] of value) (made as Map<unknown, unknown>).set(inner(key), inner(part))
  else if (value instanceof Set) for (const part of value) (made as Set<unknown>).add(inner(part))
  else if (isPlain(value))
    for (const name of Object.keys(value)) define(made, name, inner((value as Record<string, unknown>)[name]))
  if (frozen && !isBytes(made)) {
    for (const method of mutators(made)) hide(made, method)
    Object.freeze(made)
  }
  return made
}

/** An object of the same kind: complete for dates, bytes and instances, still empty for what holds other values. */
function empty(value: object): object {
  if (Array.isArray(value)) return new Array(value.length)
  if (value instanceof Map) return new Map()
  if (value instanceof Set) return new Set()
  if (value instanceof Date) return new Date(value.getTime())
  if (value instanceof DataView)
    return new DataView(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength))
  if (ArrayBuffer.isView(value)) return Uint8Array.prototype.slice.call(value as Uint8Array)
  if (isPlain(value)) return Object.create(Object.getPrototypeOf(value))
  return structuredClone(value)
}

/** Assigns without reading setters of the prototype: a key may be `__proto__`. */
function define(target: object, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
  else (target as Record<string, unknown>)[name] = value
}

function isPlain(value: object): boolean {
  return Array.isArray(value) || isPlainObject(value)
}

function isBytes(value: object): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer
}
