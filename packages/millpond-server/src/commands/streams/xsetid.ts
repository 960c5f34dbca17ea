import type { Arguments } from '../../engine/arguments.ts'
import { noSuchKey, ReplyError, syntaxError } from '../../engine/errors.ts'
import { STREAM, type Stream } from '../../engine/values/stream.ts'
import { compareIds, MIN_ID, type StreamId } from '../../engine/values/stream-id.ts'
import type { Command } from '../command.ts'
import { idOf } from './ids.ts'

/** Sets what a stream remembers of its past: the last id, how many entries were added, the highest id deleted. */
export const xsetid: Command = {
  name: 'xsetid',
  since: '5.0.0',
  group: 'stream',
  summary:
    'Sets what a stream remembers of its past: the last id, how many entries were added, the highest id deleted.',
  complexity: 'O(1)',
  arity: -3,
  flags: ['write', 'denyoom', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['update'] }],
  syntax: 'key last-id [ENTRIESADDED entries_added] [MAXDELETEDID max_deleted_entry_id]',
  run({ db }, args, reply) {
    const key = args.span(1)
    const past = pastOf(args)
    const stream = db.edit(key, STREAM)
    if (stream === undefined) throw noSuchKey()
    check(stream, past)
    stream.lastId = past.lastId
    stream.entriesAdded = past.entriesAdded ?? stream.entriesAdded
    if (compareIds(past.maxDeletedId, MIN_ID) > 0) stream.maxDeletedId = past.maxDeletedId
    db.changed(key, 'xsetid', 't')
    reply.ok()
  },
}

interface Past {
  readonly lastId: StreamId
  readonly entriesAdded: number | undefined
  readonly maxDeletedId: StreamId
}

function pastOf(args: Arguments): Past {
  const lastId = idOf(args, 2)
  let entriesAdded: number | undefined
  let maxDeletedId = MIN_ID
  for (let at = 3; at < args.count; at += 2) {
    if (at + 1 >= args.count) throw syntaxError()
    if (args.is(at, 'entriesadded')) {
      entriesAdded = args.integer(at + 1)
      if (entriesAdded < 0) throw new ReplyError('entries_added must be positive')
    } else if (args.is(at, 'maxdeletedid')) {
      maxDeletedId = idOf(args, at + 1)
      if (compareIds(lastId, maxDeletedId) < 0) {
        throw new ReplyError('The ID specified in XSETID is smaller than the provided max_deleted_entry_id')
      }
    } else throw syntaxError()
  }
  return { lastId, entriesAdded, maxDeletedId }
}

function check(stream: Stream, { lastId, entriesAdded }: Past): void {
  if (stream.size === 0) return
  if (compareIds(lastId, stream.topId) < 0) {
    throw new ReplyError('The ID specified in XSETID is smaller than the target stream top item')
  }
  if (entriesAdded !== undefined && stream.size > entriesAdded) {
    throw new ReplyError('The entries_added specified in XSETID is smaller than the target stream length')
  }
}
