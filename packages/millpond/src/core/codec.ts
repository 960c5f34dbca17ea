import { ValueError } from './errors.ts'
import { isPlainObject } from './plain.ts'

/** Turns values into text and back: for stores, for journals and for `copy: 'serialize'`. Both may throw. */
export interface Codec {
  /** The text of a value. Throws where it has none. */
  encode(value: unknown): string
  /** The value of a text that `encode` made. Throws where it did not. */
  decode(text: string): unknown
}

/**
 * The default codec: JSON that also keeps `undefined`, NaN, the infinities, -0, bigint, Date, Map, Set, RegExp, URL,
 * ArrayBuffer, typed arrays and Buffer. What plain JSON can say is plain JSON text, which other programs can read.
 *
 * Anything else starts with `!1`, the mark of this format, which no JSON text starts with. Inside, `{"$":[kind, ...data]}`
 * stands for a special value; an object of the user with a `$` of its own is written as such a value too. A later format
 * is refused rather than misread. Decoding gives two objects where one occurred twice, ordinary objects for those
 * without a prototype, and leaves out symbol keys, as JSON does.
 *
 * `encode` throws `ValueError` with the path of what has no form: a function, a symbol, an instance of a class, a cycle.
 */
export const jsonCodec: Codec = {
  encode(value) {
    const packed = pack(value, { parents: [], path: [] })
    return packed === value ? JSON.stringify(value) : MARK + JSON.stringify(packed)
  },
  decode(text) {
    if (text[0] !== '!') return JSON.parse(text)
    if (!text.startsWith(MARK)) throw new ValueError(undefined, 'written in a later format than this version reads')
    return unpack(JSON.parse(text.slice(MARK.length)))
  },
}

const MARK = '!1'

const HAS_BUFFER = typeof Buffer === 'function'

/** Deeper values are refused, so that none overflows the stack. */
const DEPTH_MAX = 500

/** Where the walk is: the objects around the value, and the name of the value in each. */
interface Trail {
  readonly parents: object[]
  readonly path: (string | number)[]
}

/** The form of `value` that JSON.stringify can write: `value` itself where nothing in it is special. */
function pack(value: unknown, trail: Trail): unknown {
  const type = typeof value
  if (type === 'string' || type === 'boolean' || value === null) return value
  if (Object.is(value, -0)) return special('Number', '-0')
  if (type === 'number') return Number.isFinite(value) ? value : special('Number', text(value))
  if (type === 'undefined') return special(type)
  if (type === 'bigint') return special('BigInt', text(value))
  if (type === 'object') return packObject(value as object, trail)
  throw refused(`a ${type}`, trail)
}

function packObject(value: object, trail: Trail): unknown {
  const { parents } = trail
  if (parents.includes(value)) throw refused('a cycle', trail)
  if (parents.length === DEPTH_MAX) throw refused(`nesting of more than ${DEPTH_MAX} levels`, trail)
  parents.push(value)
  const packed = Array.isArray(value)
    ? packItems(value, trail)
    : isPlainObject(value)
      ? packFields(value, trail)
      : packInstance(value, trail)
  parents.pop()
  if (!packed) throw refused(`an instance of ${value.constructor?.name || 'a class'}`, trail)
  return packed
}

function packItems(items: readonly unknown[], trail: Trail): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let at = 0; at < items.length; at++) {
    trail.path[trail.parents.length - 1] = at
    const packed = pack(items[at], trail)
    if (packed !== items[at]) (copy ??= items.slice())[at] = packed
  }
  return copy ?? items
}

function packFields(fields: Record<string, unknown>, trail: Trail): object {
  let copy: Map<string, unknown> | undefined
  for (const name of Object.keys(fields)) {
    trail.path[trail.parents.length - 1] = name
    const packed = pack(fields[name], trail)
    if (packed !== fields[name]) (copy ??= new Map(Object.entries(fields))).set(name, packed)
  }
  if (Object.hasOwn(fields, '$')) return special('Object', ...(copy ?? Object.entries(fields)))
  return copy ? Object.fromEntries(copy) : fields
}

/** Instances of what the platform itself offers. Not of subclasses: those would come back without their class. */
function packInstance(value: object, trail: Trail): object | undefined {
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  const name: string = Object.getPrototypeOf(value).constructor?.name
  if (BYTES.test(name)) return special(name, toBase64(value as Uint8Array))
  if (name !== kind) return undefined
  if (COLLECTION.test(kind)) return special(kind, ...packItems([...(value as Set<unknown>)], trail))
  if (kind === 'Date') return special(kind, pack(+value, trail))
  if (kind === 'RegExp') return special(kind, (value as RegExp).source, (value as RegExp).flags)
  return kind === 'URL' ? special(kind, text(value)) : undefined
}

const BYTES = /^([A-Z]\w+\d+\w*Array|ArrayBuffer|Buffer)$/
const COLLECTION = /^(Map|Set)$/
const text = String

function special(kind: string, ...data: readonly unknown[]): object {
  return { $: [kind, ...data] }
}

function refused(what: string, { path, parents }: Trail): ValueError {
  const steps = path.slice(0, parents.length).map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
  return new ValueError(undefined, `${what} has no form as text (at value${steps.join('')})`)
}

/** Turns what JSON.parse gave into the value, in place. */
function unpack(packed: unknown): unknown {
  if (typeof packed !== 'object' || packed === null) return packed
  for (const [name, part] of Object.entries(packed)) {
    const value = unpack(part)
    // Not by assignment: a field may be called __proto__.
    if (value !== part) Object.defineProperty(packed, name, { value })
  }
  return Object.hasOwn(packed, '$') ? revive(...(packed as { $: [string, ...never[]] }).$) : packed
}

function revive(kind: string, ...data: readonly never[]): unknown {
  const Kind = (globalThis as never)[kind] as (new (...data: unknown[]) => unknown) & ((data: unknown) => unknown)
  if (kind === 'undefined') return undefined
  if (kind === 'Object') return Object.fromEntries(data)
  if (kind === 'Number' || kind === 'BigInt') return Kind(data[0])
  if (COLLECTION.test(kind)) return new Kind(data)
  if (BYTES.test(kind)) return fromBase64(kind, Kind, data[0]!)
  if (/^(Date|RegExp|URL)$/.test(kind)) return new Kind(...data)
  throw new ValueError(undefined, `a value of the unknown kind ${kind} cannot be decoded`)
}

function toBase64(value: Uint8Array | ArrayBuffer): string {
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value)
  if (HAS_BUFFER) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

/** Where there is no Buffer, a Buffer comes back as the Uint8Array that it is as well. */
function fromBase64(name: string, Kind: new (buffer: ArrayBuffer) => unknown, base64: string): unknown {
  const bytes = HAS_BUFFER
    ? new Uint8Array(Buffer.from(base64, 'base64'))
    : Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
  if (name === 'ArrayBuffer') return bytes.buffer
  if (name === 'Buffer') return HAS_BUFFER ? Buffer.from(bytes.buffer) : bytes
  return new Kind(bytes.buffer)
}
