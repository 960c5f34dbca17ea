import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { STREAM } from '../../engine/values/stream.ts'
import { compareIds, idAfter, MAX_ID, type StreamId } from '../../engine/values/stream-id.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { type Delivering, deliverHistory, deliverNew } from './delivering.ts'
import type { GroupOfStream } from './groups.ts'
import { idOf } from './ids.ts'
import { keysOf, type ReadOptions, readOptionsOf, replyStreams, type StreamAnswer, waitForStreams } from './reading.ts'

/** Tells a consumer what came to streams and nobody of its group has read, or what it has not acknowledged; waits for it if asked. */
export const xreadgroup: Command = {
  name: 'xreadgroup',
  since: '5.0.0',
  group: 'stream',
  summary:
    'Tells a consumer what came to streams and nobody of its group has read, or what it has not acknowledged; waits for it if asked.',
  complexity: 'O(M) for M entries told',
  arity: -7,
  flags: ['blocking', 'write'],
  keys: [{ first: { keyword: 'STREAMS', from: 4 }, last: -1, access: 'RO', touches: ['access'] }],
  syntax: 'GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] ID [ID ...]',
  keysOf,
  run(client, args, reply) {
    const options = readOptionsOf(client, args, true)
    const { keysAt, keys } = options
    const reads = Array.from({ length: keys }, (_, at) => readOf(client, args, keysAt + at, options))
    const answers: StreamAnswer[] = []
    client.logAs()
    for (const [at, { found, behind }] of reads.entries()) {
      const delivering = { client, key: args.span(keysAt + at), ...found, options }
      const answer = behind === 'new' ? newOf(delivering, reply) : deliverHistory(delivering, behind, reply)
      if (answer) answers.push({ key: args.text(keysAt + at), reply: answer })
    }
    if (answers.length > 0) replyStreams(client, answers, reply)
    else waitForStreams(client, args, options, args.texts(keysAt + keys), reply)
  },
}

/** What is read of one stream: what is new, or what is pending behind an id. */
interface Read {
  readonly found: GroupOfStream
  readonly behind: StreamId | 'new'
}

function readOf(client: Client, args: Arguments, at: number, { group, keys }: ReadOptions): Read {
  const found = foundOf(client, args, at, group!)
  const text = args.text(at + keys)
  if (text === '$') {
    throw new ReplyError(
      'The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by ' +
        'specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.',
    )
  }
  return { found, behind: text === '>' ? 'new' : idOf(args, at + keys) }
}

/** The group of a stream. Who waited is told that it has gone, with the stream or without. */
function foundOf(client: Client, args: Arguments, at: number, name: string): GroupOfStream {
  const { db, retrying } = client
  const key = args.span(at)
  if (retrying && db.typeOf(key) !== 'stream') {
    throw new ReplyError('the stream key no longer exists', 'UNBLOCKED')
  }
  const stream = db.read(key, STREAM)
  const group = stream?.group(name)
  if (stream && group) return { stream, group }
  if (retrying) throw new ReplyError('the consumer group this client was blocked on no longer exists', 'NOGROUP')
  const where = `No such key '${key.text()}' or consumer group '${name}'`
  throw new ReplyError(`${where} in XREADGROUP with GROUP option`, 'NOGROUP')
}

function newOf(delivering: Delivering, reply: Reply): (() => void) | undefined {
  const { stream, group, options } = delivering
  if (stream.size === 0 || compareIds(stream.topId, group.lastId) <= 0) return undefined
  return deliverNew(delivering, stream.range(idAfter(group.lastId)!, MAX_ID, options.count), reply)
}
