/** Words that are ids of stream entries, or bounds of a range of them. */
import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import {
  type IdPart,
  idAfter,
  idBefore,
  MAX_ID,
  MIN_ID,
  parseId,
  type StreamId,
} from '../../engine/values/stream-id.ts'

/** Sequence number of an id without one, at the end of a range: the highest. */
const LAST: IdPart = MAX_ID.seq

/** An id; of one without a sequence number that is 0. */
export function idOf(args: Arguments, at: number): StreamId {
  return known(parseId(args.text(at)))
}

/** Several ids, to the end of the command. */
export function idsOf(args: Arguments, from: number): StreamId[] {
  return Array.from({ length: args.count - from }, (_, at) => idOf(args, from + at))
}

/** An id, or `-` for the lowest and `+` for the highest. */
export function anyIdOf(args: Arguments, at: number, missing: IdPart = 0): StreamId {
  const text = args.text(at)
  if (text === '-') return MIN_ID
  return text === '+' ? MAX_ID : known(parseId(text, missing))
}

/** Where a range begins: an id that is included, or `(id`, which is not. */
export function startOf(args: Arguments, at: number): StreamId {
  const open = openId(args.text(at), 0)
  if (open === undefined) return anyIdOf(args, at)
  const next = idAfter(open)
  if (next === undefined) throw new ReplyError('invalid start ID for the interval')
  return next
}

/** Where a range ends. */
export function endOf(args: Arguments, at: number): StreamId {
  const open = openId(args.text(at), LAST)
  if (open === undefined) return anyIdOf(args, at, LAST)
  const previous = idBefore(open)
  if (previous === undefined) throw new ReplyError('invalid end ID for the interval')
  return previous
}

function openId(text: string, missing: IdPart): StreamId | undefined {
  return text.length > 1 && text.startsWith('(') ? known(parseId(text.slice(1), missing)) : undefined
}

function known(id: StreamId | undefined): StreamId {
  if (id === undefined) throw invalidId()
  return id
}

export const invalidId = (): ReplyError => new ReplyError('Invalid stream ID specified as stream command argument')
