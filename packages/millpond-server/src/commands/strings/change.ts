/** Changing a part of a string: what APPEND, SETRANGE, SETBIT and BITFIELD have in common. */
import type { ArenaView } from 'millpond/memory'
import { ReplyError } from '../../engine/errors.ts'
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
