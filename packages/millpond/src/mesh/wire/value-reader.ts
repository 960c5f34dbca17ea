import { ValueError } from '../../core/errors.ts'
import type { ByteReader } from './byte-reader.ts'
import { DEPTH_MAX, ValueTag } from './value-tags.ts'

/**
 * Reads a value that `writeValue` wrote. From other bytes it makes some plain value or throws `ValueError`: it runs nothing,
 * revives no class, touches no prototype, and takes memory in proportion to the bytes.
 */
export function readValue(reader: ByteReader, depth = 0): unknown {
  const tag = reader.byte()
  if (tag >= ValueTag.smallObject) return readFields(reader, tag - ValueTag.smallObject, depth)
  if (tag >= ValueTag.smallArray) return readArray(reader, tag - ValueTag.smallArray, depth)
  if (tag >= ValueTag.smallNumber) return tag - ValueTag.smallNumber
  if (tag >= ValueTag.shortText) return readShortText(reader, tag - ValueTag.shortText)
  switch (tag) {
    case ValueTag.undefined:
      return undefined
    case ValueTag.null:
      return null
    case ValueTag.false:
      return false
    case ValueTag.true:
      return true
    case ValueTag.positive:
      return reader.varint()
    case ValueTag.negative:
      return -1 - reader.varint()
    case ValueTag.double:
      return reader.double()
    case ValueTag.latin1:
      return reader.latin1(reader.varint())
    case ValueTag.utf8:
      return reader.utf8(reader.varint())
    case ValueTag.object:
      return readFields(reader, reader.count(), depth)
    case ValueTag.array:
      return readArray(reader, reader.count(), depth)
    default:
      return readRare(reader, tag, depth)
  }
}

function readRare(reader: ByteReader, tag: number, depth: number): unknown {
  switch (tag) {
    case ValueTag.utf16:
      return reader.raw(reader.varint()).toString('utf16le')
    case ValueTag.positiveBigInt:
      return readBigInt(reader)
    case ValueTag.negativeBigInt:
      return -readBigInt(reader)
    case ValueTag.bytes:
      return Uint8Array.from(reader.raw(reader.varint()))
    case ValueTag.buffer:
      return Buffer.from(reader.raw(reader.varint()))
    case ValueTag.date:
      return new Date(reader.double())
    case ValueTag.map:
      return readMap(reader, reader.count(), depth)
    case ValueTag.set:
      return new Set(readArray(reader, reader.count(), depth))
    default:
      throw new ValueError(undefined, `its bytes have the unknown tag ${tag}`)
  }
}

function readBigInt(reader: ByteReader): bigint {
  const magnitude = Buffer.from(reader.raw(reader.varint())).reverse()
  return magnitude.length === 0 ? 0n : BigInt(`0x${magnitude.toString('hex')}`)
}

function readArray(reader: ByteReader, count: number, depth: number): unknown[] {
  deeper(depth)
  const items: unknown[] = []
  for (let at = 0; at < count; at++) items.push(readValue(reader, depth + 1))
  return items
}

function readMap(reader: ByteReader, count: number, depth: number): Map<unknown, unknown> {
  deeper(depth)
  const map = new Map<unknown, unknown>()
  for (let at = 0; at < count; at++) {
    const key = readValue(reader, depth + 1)
    map.set(key, readValue(reader, depth + 1))
  }
  return map
}

function readFields(reader: ByteReader, count: number, depth: number): Record<string, unknown> {
  deeper(depth)
  const fields: Record<string, unknown> = {}
  for (let at = 0; at < count; at++) {
    const name = readName(reader)
    const value = readValue(reader, depth + 1)
    // By assignment, this one would set the prototype.
    if (name === '__proto__')
      Object.defineProperty(fields, name, { value, writable: true, enumerable: true, configurable: true })
    else fields[name] = value
  }
  return fields
}

/** The name of a field: the same few come again and again, so they are kept by their bytes. */
function readName(reader: ByteReader): string {
  const { bytes, at } = reader
  const tag = reader.byte()
  if (tag < ValueTag.shortText || tag >= ValueTag.smallNumber) {
    reader.at = at
    const name = readValue(reader)
    if (typeof name !== 'string') throw new ValueError(undefined, 'its bytes have a field without a name')
    return name
  }
  const count = tag - ValueTag.shortText
  const start = reader.skip(count)
  let hash = count
  for (let index = start; index < start + count; index++) hash = Math.imul(hash ^ bytes[index]!, 0x01000193)
  const slot = (hash ^ (hash >>> 15)) & (names.length - 1)
  const known = names[slot]!
  if (isText(known, bytes, start, count)) return known
  const name = bytes.toString('latin1', start, start + count)
  names[slot] = name
  return name
}

/** Names of fields that were met, each in the slot of its hash. */
const names: string[] = new Array<string>(256).fill('')

function isText(text: string, bytes: Buffer, start: number, count: number): boolean {
  if (text.length !== count) return false
  for (let index = 0; index < count; index++) if (text.charCodeAt(index) !== bytes[start + index]) return false
  return true
}

function readShortText(reader: ByteReader, count: number): string {
  return count === 0 ? '' : reader.latin1(count)
}

function deeper(depth: number): void {
  if (depth >= DEPTH_MAX) throw new ValueError(undefined, `its bytes nest more than ${DEPTH_MAX} levels`)
}
