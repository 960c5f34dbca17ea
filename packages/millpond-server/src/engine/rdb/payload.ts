/** The payloads of DUMP and RESTORE: type, value, version, checksum. Redis and we read each other's. */
import type { EncodingLimits } from '../encoding-limits.ts'
import { ReplyError } from '../errors.ts'
import { ByteSink } from './byte-sink.ts'
import { ByteSource } from './byte-source.ts'
import { crc64 } from './crc64.ts'
import { RdbError } from './rdb-error.ts'
import { TYPE, VERSION, VERSION_FIELD_EXPIRY, VERSION_MAX } from './rdb-types.ts'
import { type RdbValue, readValue } from './value-reader.ts'
import { typeOf, writeValue } from './value-writer.ts'

const FOOT_BYTES = 10

/** What a key holds, as DUMP tells it. */
export function dumpPayload(value: RdbValue | Uint8Array): Buffer {
  const sink = new ByteSink(true)
  const type = typeOf(value, true)
  sink.byte(type)
  writeValue(sink, value, type)
  return withFoot(sink, type === TYPE.HASH_METADATA ? VERSION_FIELD_EXPIRY : VERSION)
}

/** Ends a payload with version and checksum. */
export function withFoot(sink: ByteSink, version: number): Buffer {
  sink.uint16Low(version)
  const body = sink.take()
  const foot = Buffer.allocUnsafe(8)
  foot.writeBigUInt64LE(crc64(body))
  return Buffer.concat([body, foot])
}

/** The part of a payload before its end. @throws ReplyError when it was changed, or is of a later version */
export function bodyOf(payload: Buffer): Buffer {
  const end = payload.length - FOOT_BYTES
  const version = end < 0 ? 0 : payload.readUInt16LE(end)
  const sum = end < 0 ? 0n : payload.readBigUInt64LE(end + 2)
  const whole = end >= 0 && version <= VERSION_MAX && (sum === 0n || sum === crc64(payload.subarray(0, end + 2)))
  if (!whole) throw new ReplyError('DUMP payload version or checksum are wrong')
  return payload.subarray(0, end)
}

/** The value of a payload. @throws ReplyError when it is none */
export function restorePayload(payload: Buffer, limits: EncodingLimits): RdbValue {
  const source = new ByteSource(bodyOf(payload))
  try {
    const value = readValue(source, source.byte(), limits)
    if (source.done) return value
  } catch (error) {
    if (!(error instanceof RdbError)) throw error
  }
  throw new ReplyError('Bad data format')
}
