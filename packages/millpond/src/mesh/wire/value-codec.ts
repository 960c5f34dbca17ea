import { ValueError } from '../../core/errors.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { readValue } from './value-reader.ts'
import { writeValue } from './value-writer.ts'

/** The longest encoding of one value. */
export const VALUE_BYTES_MAX: number = 16 * 1024 * 1024
/** A value that took more does not keep its room. */
const KEPT_BYTES_MAX = 256 * 1024

let writer = new ByteWriter(VALUE_BYTES_MAX)
const reader = new ByteReader()

/**
 * Values as bytes: undefined, null, booleans, numbers, bigints, texts, Uint8Array, Buffer, Date, Map, Set, arrays and plain
 * objects. What comes back has the same types and no other: nothing that a stranger may have written is run or given a class.
 *
 * Both throw `ValueError`: `encode` for a value that has no form, or is longer than 16 MiB; `decode` for bytes that are no value,
 * or more than one. See `value-tags.ts` for the format.
 */
export const valueCodec: {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
} = {
  encode(value) {
    writer.reset()
    writeValue(writer, value)
    const bytes = Buffer.allocUnsafe(writer.length)
    bytes.set(writer.written())
    if (writer.bytes.length > KEPT_BYTES_MAX) writer = new ByteWriter(VALUE_BYTES_MAX)
    return bytes
  },
  decode(bytes) {
    reader.reset(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    const value = readValue(reader)
    if (reader.rest > 0) throw new ValueError(undefined, `its bytes go on after its end`)
    return value
  },
}
