import { deepCopy, deepFreeze } from '../../core/copy.ts'
import { ValueError } from '../../core/errors.ts'
import { ValueTag } from '../wire/value-tags.ts'
import type { Entry } from './entry.ts'

/** Turns values into bytes and back. Both may throw. */
export interface ValueCodec {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

/**
 * How the values of entries are kept and handed out. A value is frozen when it enters, so every reader may be given the
 * same one; what holds bytes, which cannot be frozen, is copied for each. What came from a peer stays encoded until the
 * first read: many changes of a key are overwritten before anybody looks.
 */
export class Values {
  readonly #codec: ValueCodec
  readonly #bytesMax: number
  readonly #largeBytes: number

  /** @param largeBytes values longer than that keep their encoding, because peers fetch it one by one */
  constructor(codec: ValueCodec, bytesMax: number, largeBytes: number) {
    this.#codec = codec
    this.#bytesMax = bytesMax
    this.#largeBytes = largeBytes
  }

  /**
   * Gives a value of the user in the form that `put` takes: frozen, and encoded if only that can tell whether it may be kept.
   *
   * @throws ValueError (`ERR_VALUE`) when it has no encoding, or one that is longer than the mesh carries
   */
  seal(key: string, value: unknown): SealedValue {
    if (isSmall(value)) return { value, form: 'ready', bytes: undefined }
    const bytes = this.#encode(key, value)
    if (bytes.length > this.#bytesMax) {
      throw new ValueError(key, `it takes ${bytes.length} bytes, and maxValue is ${this.#bytesMax}`)
    }
    const holdsBytes = deepFreeze(value)
    return { value: holdsBytes ? deepCopy(value, true) : value, form: holdsBytes ? 'bytes' : 'ready', bytes }
  }

  put(entry: Entry, sealed: SealedValue): void {
    entry.value = sealed.value
    entry.form = sealed.form
    entry.bytes = sealed.bytes
  }

  /** Keeps a value as a peer has sent it. `bytes` is copied unless it is `own`. What is decoded as fast as it is copied, is. */
  putEncoded(entry: Entry, bytes: Uint8Array, own: boolean): void {
    entry.bytes = undefined
    entry.value = undefined
    if (bytes.length <= SCALAR_BYTES_MAX && isScalar(bytes[0]!) && this.#decoded(entry, bytes)) return
    entry.form = 'encoded'
    entry.bytes = own ? bytes : copyOf(bytes)
  }

  /** False where it cannot be: who reads the value is told then. */
  #decoded(entry: Entry, bytes: Uint8Array): boolean {
    try {
      entry.value = this.#codec.decode(bytes)
      entry.form = 'ready'
      return true
    } catch {
      return false
    }
  }

  /** The value, to hand out. @throws what the codec throws about bytes that are none of its own */
  read(entry: Entry): unknown {
    if (entry.form === 'encoded') {
      const value = this.#codec.decode(entry.bytes!)
      entry.form = !isSmall(value) && deepFreeze(value) ? 'bytes' : 'ready'
      entry.value = value
      this.sent(entry)
    }
    return entry.form === 'bytes' ? deepCopy(entry.value, true) : entry.value
  }

  /** Whether the value is so simple that it is best encoded where it is needed. */
  isPlain(entry: Entry): boolean {
    return entry.form === 'ready' && entry.bytes === undefined && isSmall(entry.value)
  }

  /** The encoding of the value. */
  bytes(entry: Entry): Uint8Array {
    return entry.bytes ?? this.#encode(entry.key, entry.value)
  }

  /** The encoding is not needed any more, unless the value is large. */
  sent(entry: Entry): void {
    if (entry.form !== 'encoded' && entry.bytes && entry.bytes.length <= this.#largeBytes) entry.bytes = undefined
  }

  #encode(key: string, value: unknown): Uint8Array {
    try {
      return this.#codec.encode(value)
    } catch (cause) {
      throw new ValueError(key, cause instanceof Error ? cause.message : String(cause), { cause })
    }
  }
}

/** A value of the user as an entry takes it. */
export interface SealedValue {
  readonly value: unknown
  readonly form: 'ready' | 'bytes'
  readonly bytes: Uint8Array | undefined
}

/** Whether a value is immutable, surely has an encoding and surely is not too long. */
function isSmall(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value.length < SHORT_CHARACTERS
    case 'number':
    case 'boolean':
    case 'undefined':
      return true
    default:
      return value === null
  }
}

/** Not by `slice`: of a Buffer that makes a Buffer, which takes twice as long. */
function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

/** Whether an encoding that begins with this byte is a text, a number or another value without parts. */
function isScalar(tag: number): boolean {
  return tag < ValueTag.bytes || (tag >= ValueTag.shortText && tag < ValueTag.smallArray)
}

const SHORT_CHARACTERS = 8192
const SCALAR_BYTES_MAX = 512
