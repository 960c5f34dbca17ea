import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Span } from '../../engine/span.ts'
import { STREAM, type Stream } from '../../engine/values/stream.ts'
import { compareIds, formatId, idAfter, MAX_ID, MIN_ID, type StreamId } from '../../engine/values/stream-id.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { idOf } from './ids.ts'
import { keysOf, readOptionsOf, replyStreams, type StreamAnswer, waitForStreams } from './reading.ts'
import { replyEntries } from './replies.ts'

/** Tells what came to streams behind ids; waits for it if asked. */
export const xread: Command = {
  name: 'xread',
  since: '5.0.0',
  group: 'stream',
  summary: 'Tells what came to streams behind ids; waits for it if asked.',
  complexity: 'O(M) for M entries told',
  arity: -4,
  flags: ['blocking', 'readonly', 'blocking'],
  keys: [{ first: { keyword: 'STREAMS', from: 1 }, last: -1, access: 'RO', touches: ['access'] }],
  syntax: '[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] ID [ID ...]',
  keysOf,
  waitsFor: 'stream',
  run(client, args, reply) {
    const options = readOptionsOf(client, args, false)
    const { keysAt, keys, count } = options
    const ids: StreamId[] = []
    const streams: (Stream | undefined)[] = []
    for (let at = keysAt; at < keysAt + keys; at++) {
      const stream = client.retrying ? streamIfAny(client, args.span(at)) : client.db.read(args.span(at), STREAM)
      streams.push(stream)
      ids.push(behindOf(args, at + keys, stream))
    }
    const answers: StreamAnswer[] = []
    for (const [at, stream] of streams.entries()) {
      if (stream === undefined || compareIds(stream.topId, ids[at]!) <= 0) continue
      const entries = stream.range(idAfter(ids[at]!)!, MAX_ID, count)
      answers.push({ key: args.text(keysAt + at), reply: () => replyEntries(reply, entries) })
    }
    if (answers.length > 0) replyStreams(client, answers, reply)
    else waitForStreams(client, args, options, ids.map(formatId), reply)
  },
}

/** Another key than the one that has changed may hold something else by now. */
function streamIfAny({ db }: Client, key: Span): Stream | undefined {
  return db.typeOf(key) === 'stream' ? db.read(key, STREAM) : undefined
}

/** The id behind which is read: given, or `$` for the last one that is there. */
function behindOf(args: Arguments, at: number, stream: Stream | undefined): StreamId {
  const text = args.text(at)
  if (text === '$') return stream?.lastId ?? MIN_ID
  if (text !== '>') return idOf(args, at)
  throw new ReplyError(
    'The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
  )
}
