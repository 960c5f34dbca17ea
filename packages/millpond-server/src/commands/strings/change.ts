/** Changing a part of a string: what APPEND, SETRANGE, SETBIT and BITFIELD have in common. */
import type { ArenaView } from 'millpond/memory'
import { ReplyError } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Span } from '../../engine/span.ts'
import { STRING_FORM } from '../../engine/value.ts'
import type { Service } from '../service.ts'

/** @throws ReplyError where a string may not become so long */
export function checkLength(service: Service, bytes: number): void {
  if (bytes > service.stringBytesMax) {
    throw new ReplyError('string exceeds maximum allowed size (proto-max-bulk-len)')
  }
}

/** A copy of a string that is at least `length` bytes long, with zeros behind what it had. */
export function lengthened(value: ArenaView | undefined, length: number): Buffer {
  const had = value?.length ?? 0
  const bytes = Buffer.allocUnsafeSlow(Math.max(had, length))
  if (value !== undefined) bytes.set(value.bytes.subarray(value.start, value.end))
  bytes.fill(0, had)
  return bytes
}

/** Writes a part behind the end of a string, or over it, with zeros between. */
export function grow(db: Keyspace, key: Span, from: number, part: Uint8Array): void {
  const value = db.editString(key)
  const expiresAtMs = value?.expiresAtMs
  const bytes = lengthened(value, from + part.length)
  bytes.set(part, from)
  db.setString(key, bytes, 0, bytes.length, expiresAtMs, STRING_FORM.RAW)
}
