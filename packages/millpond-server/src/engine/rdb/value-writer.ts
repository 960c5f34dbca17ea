/** Writes values in the plainest form that Redis 7.0 reads: it makes its own small forms of them. */

import type { Collection } from '../value.ts'
import { Hash } from '../values/hash.ts'
import { List } from '../values/list.ts'
import { SetValue } from '../values/set.ts'
import { SortedSet } from '../values/sorted-set.ts'
import { Stream } from '../values/stream.ts'
import { type ByteSink, writeBytes, writeLength, writeText } from './byte-sink.ts'
import { TYPE } from './rdb-types.ts'
import { writeStream } from './stream-writer.ts'
import type { RdbValue } from './value-reader.ts'

/** The type that a value is written as. `fieldExpiry`: with the expiries of a hash's fields, as Redis 7.4 does. */
export function typeOf(value: RdbValue | Uint8Array, fieldExpiry: boolean): number {
  if (value instanceof Uint8Array) return TYPE.STRING
  switch (value.type) {
    case 'list':
      return TYPE.LIST
    case 'set':
      return TYPE.SET
    case 'zset':
      return TYPE.ZSET_2
    case 'hash':
      return fieldExpiry && hasFieldExpiries(value) ? TYPE.HASH_METADATA : TYPE.HASH
    case 'stream':
      return TYPE.STREAM_LISTPACKS_2
  }
}

/** Writes a value as the type that `typeOf` told. */
export function writeValue(sink: ByteSink, value: RdbValue | Uint8Array, type: number): void {
  if (value instanceof Uint8Array) writeBytes(sink, value)
  else if (value instanceof List) writeTexts(sink, value.size, value.forward())
  else if (value instanceof SetValue) writeTexts(sink, value.size, value.members())
  else if (value instanceof SortedSet) writeSortedSet(sink, value)
  else if (value instanceof Stream) writeStream(sink, value)
  else if (value instanceof Hash) writeHash(sink, value, type === TYPE.HASH_METADATA)
  else throw new TypeError(`a ${value.type} of another making can not be written`)
}

/** Whether some field of a hash expires. */
export function hasFieldExpiries(value: Collection): value is Hash {
  return value instanceof Hash && value.nextExpiryMs !== Number.POSITIVE_INFINITY
}

function writeTexts(sink: ByteSink, count: number, texts: Iterable<string>): void {
  writeLength(sink, count)
  for (const text of texts) writeText(sink, text)
}

function writeSortedSet(sink: ByteSink, value: SortedSet): void {
  writeLength(sink, value.size)
  // From the highest score: so Redis inserts each at the front of its skiplist.
  value.visit(0, value.size, true, (member, score) => {
    writeText(sink, member)
    sink.double(score)
  })
}

function writeHash(sink: ByteSink, value: Hash, expiries: boolean): void {
  const firstMs = value.nextExpiryMs
  if (expiries) sink.int64Low(BigInt(firstMs))
  writeLength(sink, value.size)
  for (const [field, text] of value.entries()) {
    if (expiries) {
      const expiresAtMs = value.expiresAtMs(field)
      writeLength(sink, expiresAtMs === Number.POSITIVE_INFINITY ? 0 : expiresAtMs - firstMs + 1)
    }
    writeText(sink, field)
    writeText(sink, text)
  }
}
