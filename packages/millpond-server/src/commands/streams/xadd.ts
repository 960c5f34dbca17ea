import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError } from '../../engine/errors.ts'
import { STREAM } from '../../engine/values/stream.ts'
import {
  compareIds,
  formatId,
  type IdPart,
  idAfter,
  MIN_ID,
  parsePart,
  type StreamId,
} from '../../engine/values/stream-id.ts'
import type { Command } from '../command.ts'
import { idOf, invalidId } from './ids.ts'
import { trimOptionsOf, withExactTrimming } from './trimming.ts'

/** Adds an entry to a stream, and cuts the stream if asked; makes the stream if there is none. */
export const xadd: Command = {
  name: 'xadd',
  since: '5.0.0',
  group: 'stream',
  summary: 'Adds an entry to a stream, and cuts the stream if asked; makes the stream if there is none.',
  complexity: 'O(1) to add, O(N) for N entries that are cut off',
  arity: -5,
  flags: ['write', 'denyoom', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['update'] }],
  syntax: 'key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | ID> field value [field value ...]',
  run(client, args, reply) {
    const { db, service } = client
    const key = args.span(1)
    const options = trimOptionsOf(args, db.limits, true)
    const { endAt: idAt, trimming } = options
    const given = idAt < args.count ? givenId(args, idAt) : 'auto'
    const words = args.count - idAt - 1
    if (words < 2 || words % 2 === 1) throw new ReplyError("wrong number of arguments for 'xadd' command")
    if (typeof given === 'object' && 'seq' in given && compareIds(given, MIN_ID) === 0) {
      throw new ReplyError('The ID specified in XADD must be greater than 0-0')
    }
    const present = db.edit(key, STREAM)
    if (present === undefined && !options.makes) {
      reply.nil()
      return
    }
    const id = nextId(given, present?.lastId ?? MIN_ID, service.time.nowMs)
    const stream = present ?? db.editOrNew(key, STREAM)
    stream.add(id, args, idAt + 1)
    const trimmed = trimming === undefined ? 0 : stream.trim(trimming)
    if (service.logs.log && (trimming?.approximate || given === 'auto' || !('seq' in given))) {
      const logged = args.texts(0)
      logged[idAt] = formatId(id)
      service.logs.replace(client, withExactTrimming(logged, options, stream))
    }
    db.changed(key, 'xadd', 't')
    if (trimmed > 0) db.changed(key, 'xtrim', 't')
    reply.bulk(formatId(id))
  },
}

/** An id, one whose second half is chosen here (`ms-*`), or one that is chosen here (`*`). */
type GivenId = StreamId | { readonly ms: IdPart } | 'auto'

function givenId(args: Arguments, at: number): GivenId {
  const text = args.text(at)
  if (text === '*') return 'auto'
  if (!text.endsWith('-*')) return idOf(args, at)
  const ms = parsePart(text.slice(0, -2))
  if (ms === undefined) throw invalidId()
  return { ms }
}

/** The id that an entry gets. @throws ReplyError if that is not behind the last one */
function nextId(given: GivenId, lastId: StreamId, nowMs: number): StreamId {
  const following = idAfter(lastId)
  if (following === undefined) {
    throw new ReplyError('The stream has exhausted the last possible ID, unable to add more items')
  }
  if (given === 'auto') return nowMs > lastId.ms ? { ms: nowMs, seq: 0 } : following
  let id: StreamId
  if ('seq' in given) id = given
  else id = given.ms === lastId.ms ? following : { ms: given.ms, seq: 0 }
  if (compareIds(id, lastId) <= 0 || id.ms !== given.ms) {
    throw new ReplyError('The ID specified in XADD is equal or smaller than the target stream top item')
  }
  return id
}
