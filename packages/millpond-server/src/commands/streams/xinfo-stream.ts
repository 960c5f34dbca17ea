import type { Arguments } from '../../engine/arguments.ts'
import { noSuchKey } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { STREAM, type Stream, type StreamEntry } from '../../engine/values/stream.ts'
import { formatId, MAX_ID, MIN_ID } from '../../engine/values/stream-id.ts'
import type { Command } from '../command.ts'
import { replyGroup } from './full-info.ts'
import { subcommandError } from './group-options.ts'
import { replyEntries, replyEntry } from './replies.ts'

/** Tells what a stream is like, with all that is in it if asked. */
export const xinfoStream: Command = {
  name: 'stream',
  since: '5.0.0',
  group: 'stream',
  summary: 'Tells what a stream is like, with all that is in it if asked.',
  complexity: 'O(1), O(N) for N entries that are told',
  arity: -3,
  flags: ['readonly'],
  keys: [{ first: 2, last: 2, access: 'RO', touches: ['access'] }],
  syntax: 'key [FULL [COUNT count]]',
  run({ db }, args, reply) {
    const stream = db.read(args.span(2), STREAM)
    if (stream === undefined) throw noSuchKey()
    const count = fullCount(args)
    reply.map(count === undefined ? 10 : 9)
    replyNumbers(reply, stream)
    if (count === undefined) replyEnds(reply, stream)
    else {
      reply.bulk('entries')
      replyEntries(reply, stream.range(MIN_ID, MAX_ID, count))
      reply.bulk('groups')
      reply.array(stream.groupCount)
      for (const group of stream.groups) replyGroup(reply, stream, group, count)
    }
  },
}

/** How many of everything are told; `undefined`: it was not asked for all. */
function fullCount(args: Arguments): number | undefined {
  if (args.count === 3) return undefined
  const isFull = args.is(3, 'full') && (args.count === 4 || (args.count === 6 && args.is(4, 'count')))
  if (!isFull) throw subcommandError(args)
  const count = args.count === 6 ? args.integer(5) : -1
  if (count < 0) return 10
  return count || Number.POSITIVE_INFINITY
}

function replyNumbers(reply: Reply, stream: Stream): void {
  reply.bulk('length')
  reply.integer(stream.size)
  reply.bulk('radix-tree-keys')
  reply.integer(stream.blocks)
  reply.bulk('radix-tree-nodes')
  reply.integer(stream.blocks + 1)
  reply.bulk('last-generated-id')
  reply.bulk(formatId(stream.lastId))
  reply.bulk('max-deleted-entry-id')
  reply.bulk(formatId(stream.maxDeletedId))
  reply.bulk('entries-added')
  reply.integer(stream.entriesAdded)
  reply.bulk('recorded-first-entry-id')
  reply.bulk(formatId(stream.firstId))
}

function replyEnds(reply: Reply, stream: Stream): void {
  reply.bulk('groups')
  reply.integer(stream.groupCount)
  reply.bulk('first-entry')
  replyIfAny(reply, stream.range(MIN_ID, MAX_ID, 1)[0])
  reply.bulk('last-entry')
  replyIfAny(reply, stream.range(MIN_ID, MAX_ID, 1, true)[0])
}

function replyIfAny(reply: Reply, entry: StreamEntry | undefined): void {
  if (entry) replyEntry(reply, entry)
  else reply.nil()
}
