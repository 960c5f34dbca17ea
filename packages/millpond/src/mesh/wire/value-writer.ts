import { types } from 'node:util'
import { ValueError } from '../../core/errors.ts'
import { isPlainObject } from '../../core/plain.ts'
import type { ByteWriter } from './byte-writer.ts'
import { DEPTH_MAX, ValueTag } from './value-tags.ts'

/**
 * Writes a value. Throws `ValueError` where it has no form: a function, a symbol, an instance of a class, a cycle, more than
 * 100 levels, more bytes than the writer takes. Symbol keys are left out, and the gaps of an array become `undefined`.
 */
export function writeValue(writer: ByteWriter, value: unknown, depth = 0): void {
  if (typeof value === 'string') writeText(writer, value)
  else if (typeof value === 'number') writeNumber(writer, value)
  else if (value === null) writer.byte(ValueTag.null)
  else if (typeof value === 'object') writeObject(writer, value, depth)
  else if (typeof value === 'boolean') writer.byte(value ? ValueTag.true : ValueTag.false)
  else if (value === undefined) writer.byte(ValueTag.undefined)
  else if (typeof value === 'bigint') writeBigInt(writer, value)
  else throw new ValueError(undefined, `a ${typeof value} has no form as bytes`)
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writer.byte(ValueTag.double)
    writer.double(value)
  } else if (value < 0) {
    writer.byte(ValueTag.negative)
    writer.varint(-1 - value)
  } else if (value < 64) writer.byte(ValueTag.smallNumber + value)
  else {
    writer.byte(ValueTag.positive)
    writer.varint(value)
  }
}

function writeText(writer: ByteWriter, text: string): void {
  const { length } = text
  if (length <= BRIEF_CHARACTERS && writeBriefText(writer, text)) return
  if (!WIDE.test(text)) {
    if (length < 64) writer.byte(ValueTag.shortText + length)
    else {
      writer.byte(ValueTag.latin1)
      writer.varint(length)
    }
    writer.latin1(text)
  } else if (!LONE_SURROGATE.test(text)) {
    const count = Buffer.byteLength(text)
    writer.byte(ValueTag.utf8)
    writer.varint(count)
    const at = writer.skip(count)
    writer.bytes.write(text, at, count, 'utf8')
  } else {
    writer.byte(ValueTag.utf16)
    writer.varint(length * 2)
    const at = writer.skip(length * 2)
    writer.bytes.write(text, at, length * 2, 'utf16le')
  }
}

/** A character that takes more than a byte. V8 knows which texts can have none, and does not look at their characters. */
const WIDE = /[\u0100-\uffff]/
/** So short that a loop is faster than calling into Node. */
const BRIEF_CHARACTERS = 24
/** Half of a pair, which UTF-8 has no form for. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** False, and nothing written, where a character takes more than a byte. */
function writeBriefText(writer: ByteWriter, text: string): boolean {
  const { length } = text
  const at = writer.skip(length + 1)
  const { bytes } = writer
  bytes[at] = ValueTag.shortText + length
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index)
    if (code > 255) {
      writer.length = at
      return false
    }
    bytes[at + 1 + index] = code
  }
  return true
}

function writeBigInt(writer: ByteWriter, value: bigint): void {
  const hex = (value < 0n ? -value : value).toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').reverse()
  writer.byte(value < 0n ? ValueTag.negativeBigInt : ValueTag.positiveBigInt)
  writer.varint(bytes.length)
  writer.raw(bytes)
}

function writeObject(writer: ByteWriter, value: object, depth: number): void {
  if (depth === DEPTH_MAX)
    throw new ValueError(
      undefined,
      `it is a cycle, or nested in more than ${DEPTH_MAX} levels, and has no form as bytes`,
    )
  if (Array.isArray(value)) writeArray(writer, value, depth + 1)
  else if (isPlainObject(value)) writeFields(writer, value, depth + 1)
  else writeInstance(writer, value, depth + 1)
}

function writeArray(writer: ByteWriter, items: readonly unknown[], depth: number): void {
  const { length } = items
  if (length < 32) writer.byte(ValueTag.smallArray + length)
  else {
    writer.byte(ValueTag.array)
    writer.varint(length)
  }
  for (let at = 0; at < length; at++) writeValue(writer, items[at], depth)
}

function writeFields(writer: ByteWriter, fields: Record<string, unknown>, depth: number): void {
  const names = Object.keys(fields)
  const { length } = names
  if (length < 32) writer.byte(ValueTag.smallObject + length)
  else {
    writer.byte(ValueTag.object)
    writer.varint(length)
  }
  for (let at = 0; at < length; at++) {
    const name = names[at]!
    writeText(writer, name)
    writeValue(writer, fields[name], depth)
  }
}

/** Instances of what JavaScript itself offers. Not of subclasses: those would come back without their class. */
function writeInstance(writer: ByteWriter, value: object, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (types.isDate(value) && prototype === Date.prototype) {
    writer.byte(ValueTag.date)
    writer.double(value.getTime())
  } else if (types.isUint8Array(value) && (prototype === Uint8Array.prototype || prototype === Buffer.prototype)) {
    writer.byte(prototype === Buffer.prototype ? ValueTag.buffer : ValueTag.bytes)
    writer.varint(value.length)
    writer.raw(value)
  } else if (types.isMap(value) && prototype === Map.prototype) {
    writer.byte(ValueTag.map)
    writer.varint(value.size)
    for (const [key, item] of value) {
      writeValue(writer, key, depth)
      writeValue(writer, item, depth)
    }
  } else if (types.isSet(value) && prototype === Set.prototype) {
    writer.byte(ValueTag.set)
    writer.varint(value.size)
    for (const item of value) writeValue(writer, item, depth)
  } else throw new ValueError(undefined, `an instance of ${className(value)} has no form as bytes`)
}

function className(value: object): string {
  return value.constructor?.name || 'a class'
}
