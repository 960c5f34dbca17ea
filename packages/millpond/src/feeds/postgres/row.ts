/**
 * One changed row, as offsets into the buffer that it came in: values are decoded when somebody asks. The buffer is
 * used again after the call that hands the row over, so what is to be kept must be read before that.
 */
import { PgoutputError } from './bytes.ts'
import type { Relation } from './pgoutput.ts'

export interface RowChange {
  readonly kind: 'insert' | 'update' | 'delete'
  readonly relation: Relation
  readonly buffer: Buffer
  /** Where the old values start, or -1: the whole row under REPLICA IDENTITY FULL, else the identity's columns only. */
  readonly oldAt: number
  /** Where the new values start, or -1 for a delete. */
  readonly newAt: number
}

const TEXT = 0x74
const BINARY = 0x62
const NULL = 0x6e
const UNCHANGED = 0x75

/**
 * The text of column `index` of the tuple at `at`; `null` for NULL, and for a column outside the replica identity in
 * old values; `undefined` for a large value that the update left alone, which is not sent (TOAST).
 */
export function columnText(buffer: Buffer, at: number, index: number): string | null | undefined {
  const count = buffer.readUInt16BE(at)
  if (index >= count) return undefined
  let place = at + 2
  for (let column = 0; column < index; column++) place = skipColumn(buffer, place)
  const kind = buffer[place]
  if (kind !== TEXT && kind !== BINARY) return kind === NULL ? null : undefined
  return buffer.toString('utf8', place + 5, place + 5 + buffer.readUInt32BE(place + 1))
}

/** Where the tuple at `at` ends. Throws PgoutputError when it does not end inside the buffer. */
export function skipTuple(buffer: Buffer, at: number): number {
  if (at + 2 > buffer.length) throw new PgoutputError('a row ends early')
  let place = at + 2
  for (let count = buffer.readUInt16BE(at); count > 0; count--) place = skipColumn(buffer, place)
  return place
}

function skipColumn(buffer: Buffer, place: number): number {
  const kind = buffer[place]
  if (kind === NULL || kind === UNCHANGED) return place + 1
  if ((kind !== TEXT && kind !== BINARY) || place + 5 > buffer.length) throw new PgoutputError('a malformed column')
  const end = place + 5 + buffer.readUInt32BE(place + 1)
  if (end > buffer.length) throw new PgoutputError('a column ends early')
  return end
}
