/** An answer as it is kept: out of reach, and handed out as a copy, so that who changes what he was given changes nobody else's. */
import type { Document } from '../client.ts'

export class KeptAnswer {
  readonly #answer: unknown

  constructor(answer: unknown) {
    this.#answer = answer
  }

  /** A copy of the documents and lists. Values of BSON's classes, such as an ObjectId, are shared: nothing changes them. */
  handOut(): unknown {
    return copyOf(this.#answer)
  }
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf)
  if (value instanceof Date) return new Date(value.getTime())
  if (value instanceof Uint8Array) return Uint8Array.prototype.slice.call(value)
  if ('_bsontype' in value || value instanceof RegExp) return value
  const copy: Document = {}
  for (const [name, part] of Object.entries(value)) {
    if (name === '__proto__')
      Object.defineProperty(copy, name, { value: copyOf(part), enumerable: true, writable: true })
    else copy[name] = copyOf(part)
  }
  return copy
}
