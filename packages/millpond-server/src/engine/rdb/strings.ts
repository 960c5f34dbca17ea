/** Lengths and strings, as RDB files have them. */
import type { ByteSource } from './byte-source.ts'
import { expandLzf } from './lzf.ts'
import { RdbError } from './rdb-error.ts'
import { STRING } from './rdb-types.ts'

const LENGTH_32 = 0x80
const LENGTH_64 = 0x81
const LENGTH_MAX = 512 * 2 ** 20

/** A number without sign, which may need all 64 bits. */
export function readNumber(source: ByteSource): bigint {
  const first = source.byte()
  if (first === LENGTH_64) return source.uint64()
  return BigInt(lengthOf(source, first))
}

/** A count. */
export function readLength(source: ByteSource): number {
  return lengthOf(source, source.byte())
}

function lengthOf(source: ByteSource, first: number): number {
  if (first < 0x40) return first
  if (first < 0x80) return ((first & 0x3f) << 8) | source.byte()
  if (first === LENGTH_32) return source.uint32()
  if (first === LENGTH_64) return Number(source.uint64())
  throw new RdbError('a length is damaged')
}

/** A string in memory of its own. */
export function readBytes(source: ByteSource): Buffer {
  const first = source.byte()
  if (first < 0xc0) return Buffer.from(source.take(checked(lengthOf(source, first))))
  switch (first & 0x3f) {
    case STRING.INT8:
      return Buffer.from(String(source.take(1).readInt8()))
    case STRING.INT16:
      return Buffer.from(String(source.take(2).readInt16LE()))
    case STRING.INT32:
      return Buffer.from(String(source.take(4).readInt32LE()))
    case STRING.LZF: {
      const packed = readLength(source)
      const length = checked(readLength(source))
      return expandLzf(source.take(packed), length)
    }
    default:
      throw new RdbError('a string is damaged')
  }
}

/** A string as a byte string. */
export function readText(source: ByteSource): string {
  return readBytes(source).toString('latin1')
}

function checked(length: number): number {
  if (length > LENGTH_MAX) throw new RdbError('a string is longer than 512 MiB')
  return length
}
