import { ValueError } from '../../core/errors.ts'
import type { PeerId } from '../link/link.ts'
import { ByteReader } from '../wire/byte-reader.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { readValue } from '../wire/value-reader.ts'
import { writeValue } from '../wire/value-writer.ts'
import type { Timestamp } from './hybrid-clock.ts'

/**
 * What operations look like in a message. A body is a row of operations; a `map` operation says of which map those that
 * follow are. A varint has 7 bits a byte, the lowest first.
 *
 * | part | bytes | in |
 * |---|---|---|
 * | kind (lowest 3 bits) and flags | 1 | all |
 * | key or name, as a text of the value codec | 1 + its characters, if short | all but clear |
 * | version | 7 | all but map |
 * | origin, with `ORIGIN`; without it, the sender | 7 | all but map |
 * | version minus base, with `BASE`; without it, the base is not known | varint | all but map |
 * | life in milliseconds, with `LIFE`; without it, for ever | varint | all but map |
 * | how long to remember it, in milliseconds, with `MEMORY`; without it, as long as ever | varint | all but map |
 * | length of the value, value | varint, that | set |
 * | length of the value, the first 16 bytes of its SHA-256 | varint, 16 | announce |
 * | mode | 1 | map |
 */
export type OperationKind = 'map' | 'set' | 'delete' | 'void' | 'announce' | 'clear'

const KINDS: readonly OperationKind[] = ['map', 'set', 'delete', 'void', 'announce', 'clear']
const ORIGIN = 8
const BASE = 16
const LIFE = 32
const MEMORY = 64

/** The bytes of an announced value's hash. */
export const HASH_BYTES = 16
/** An operation. */
export interface Operation {
  readonly kind: OperationKind
  readonly key: string
  readonly version: Timestamp
  /** Undefined: the sender. */
  readonly origin: PeerId | undefined
  readonly base: Timestamp
  readonly lifeMs: number
  /** Undefined: as long as the receiver remembers its own. */
  readonly memoryMs: number | undefined
  /** The value, or an announced value's hash. Undefined in a set that is to be written: `value` is encoded in place. */
  readonly bytes: Uint8Array | undefined
  readonly value?: unknown
  /** Of the value's bytes. */
  readonly sizeBytes: number
}

/** Writes operations into a buffer that is used again and again. */
export class BodyWriter {
  readonly #writer: ByteWriter
  #limit = 0
  #named: string | undefined

  constructor(bytesMax: number) {
    // What turns out not to fit has been written then.
    this.#writer = new ByteWriter(2 * bytesMax)
  }

  /** Begins a body of at most `limit` bytes, with the byte `first` before its operations. */
  begin(limit: number, first: number): void {
    this.#limit = limit
    this.#named = undefined
    this.#writer.reset()
    this.#writer.byte(first)
  }

  /** Whether there is any operation in it. */
  get isEmpty(): boolean {
    return this.#writer.length <= 1
  }

  /** What was written; valid until `begin`. */
  get body(): Uint8Array {
    return this.#writer.written()
  }

  /** Adds an operation on a map. False, and nothing is changed, where the body would become too long. */
  add(map: string, mode: number, operation: Operation): boolean {
    const writer = this.#writer
    const { length } = writer
    const named = this.#named
    if (named !== map) this.#map(map, mode)
    this.#write(operation)
    if (writer.length <= this.#limit) return true
    writer.length = length
    this.#named = named
    return false
  }

  #map(name: string, mode: number): void {
    this.#named = name
    this.#writer.byte(0)
    writeValue(this.#writer, name)
    this.#writer.byte(mode)
  }

  #write(operation: Operation): void {
    const { kind, version, origin, base, lifeMs, memoryMs, bytes } = operation
    const writer = this.#writer
    const hasBase = base < Number.POSITIVE_INFINITY
    const hasLife = lifeMs < Number.POSITIVE_INFINITY
    let flags = KINDS.indexOf(kind)
    if (origin !== undefined) flags |= ORIGIN
    if (hasBase) flags |= BASE
    if (hasLife) flags |= LIFE
    if (memoryMs !== undefined) flags |= MEMORY
    writer.byte(flags)
    if (kind !== 'clear') writeValue(writer, operation.key)
    this.#long(version)
    if (origin !== undefined) this.#long(origin)
    if (hasBase) writer.varint(Math.max(0, version - base))
    if (hasLife) writer.varint(Math.ceil(lifeMs))
    if (memoryMs !== undefined) writer.varint(Math.ceil(memoryMs))
    if (kind === 'set' && !bytes) this.#value(operation.value)
    else if (kind === 'set' || kind === 'announce') writer.varint(operation.sizeBytes)
    if (bytes) writer.raw(bytes)
  }

  /** A value behind its length, which is known when it is written: it moves up where the length takes more than a byte. */
  #value(value: unknown): void {
    const writer = this.#writer
    const at = writer.skip(1)
    writeValue(writer, value)
    const length = writer.length - at - 1
    const shift = length < 128 ? 0 : length < 16_384 ? 1 : 2
    writer.skip(shift)
    if (shift > 0) writer.bytes.copyWithin(at + 1 + shift, at + 1, at + 1 + length)
    const end = writer.length
    writer.length = at
    writer.varint(length)
    writer.length = end
  }

  #long(value: number): void {
    const at = this.#writer.skip(7)
    const { bytes } = this.#writer
    bytes.writeInt32LE(value | 0, at)
    const high = (value / 2 ** 32) | 0
    bytes[at + 4] = high
    bytes[at + 5] = high >>> 8
    bytes[at + 6] = high >>> 16
  }
}

/** Reads the operations of a body one by one: after each `next`, its fields are those of the operation. */
export class BodyReader implements Operation {
  kind: OperationKind = 'map'
  key = ''
  version = 0
  origin: PeerId | undefined
  base: Timestamp = 0
  lifeMs = 0
  memoryMs: number | undefined
  sizeBytes = 0
  /** Of a `map` operation. */
  mode = 0
  readonly #reader = new ByteReader()
  #valueAt = 0

  /** Starts to read a body behind its first byte. */
  open(body: Uint8Array): void {
    this.#reader.reset(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
    this.#reader.byte()
  }

  /** The value or hash of the operation, in the body itself: copy what is kept. */
  get bytes(): Uint8Array {
    return this.#reader.bytes.subarray(this.#valueAt, this.#reader.at)
  }

  /** Goes on to the next operation. False at the end. @throws ValueError where the body is none */
  next(): boolean {
    const reader = this.#reader
    if (reader.rest === 0) return false
    const flags = reader.byte()
    const kind = KINDS[flags & 7]
    if (kind === undefined) throw new ValueError(undefined, `an operation of kind ${flags & 7}`)
    this.kind = kind
    this.key = kind === 'clear' ? '' : this.#text()
    if (kind === 'map') this.mode = reader.byte()
    else {
      this.version = this.#long()
      this.origin = flags & ORIGIN ? this.#long() : undefined
      this.base = flags & BASE ? this.version - reader.varint() : Number.POSITIVE_INFINITY
      this.lifeMs = flags & LIFE ? reader.varint() : Number.POSITIVE_INFINITY
      this.memoryMs = flags & MEMORY ? reader.varint() : undefined
      this.sizeBytes = kind === 'set' || kind === 'announce' ? reader.varint() : 0
    }
    this.#valueAt = reader.skip(kind === 'set' ? this.sizeBytes : kind === 'announce' ? HASH_BYTES : 0)
    return true
  }

  #text(): string {
    const text = readValue(this.#reader)
    if (typeof text === 'string') return text
    throw new ValueError(undefined, `a key that is a ${typeof text}`)
  }

  #long(): number {
    const at = this.#reader.skip(7)
    const { bytes } = this.#reader
    const value = bytes.readUInt32LE(at) + (bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16)) * 2 ** 32
    if (value <= Number.MAX_SAFE_INTEGER) return value
    throw new ValueError(undefined, 'a number in its bytes is too long')
  }
}
