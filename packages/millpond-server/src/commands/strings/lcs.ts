import type { Arguments } from '../../engine/arguments.ts'
import { ReplyError, syntaxError } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Span } from '../../engine/span.ts'
import type { Command } from '../command.ts'
import { keysTo } from '../key-specs.ts'
import { CommonSubsequence } from './common-subsequence.ts'

interface LcsOptions {
  length: boolean
  indexes: boolean
  withLength: boolean
  lengthMin: number
}

/** What two strings have in common. */
export const lcs: Command = {
  name: 'lcs',
  since: '7.0.0',
  group: 'string',
  summary: 'Returns the longest sequence of bytes that two strings have in common, with gaps.',
  complexity: 'O(N*M) for strings of N and M bytes',
  arity: -3,
  flags: ['readonly'],
  keys: keysTo(2, 'RO', ['access']),
  syntax: 'key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]',
  run({ db, service }, args, reply) {
    const one = bytesOf(db, args.span(1))
    const other = bytesOf(db, args.span(2))
    const options = optionsOf(args)
    if ((one.length + 1) * (other.length + 1) * 4 > service.stringBytesMax) {
      throw new ReplyError('Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len')
    }
    const common = new CommonSubsequence(one, other)
    if (options.indexes) replyIndexes(common, options, reply)
    else if (options.length) reply.integer(common.length)
    else {
      const bytes = common.bytes()
      reply.bytes(bytes, 0, bytes.length)
    }
  },
}

function bytesOf(db: Keyspace, key: Span): Uint8Array {
  const type = db.typeOf(key)
  if (type !== undefined && type !== 'string') throw new ReplyError('The specified keys must contain string values')
  return db.readString(key)?.copy() ?? new Uint8Array(0)
}

function replyIndexes(common: CommonSubsequence, options: LcsOptions, reply: Reply): void {
  const ranges = common.ranges().filter(({ length }) => length >= options.lengthMin)
  reply.map(2)
  reply.bulk('matches')
  reply.array(ranges.length)
  for (const { inOne, inOther, length } of ranges) {
    reply.array(options.withLength ? 3 : 2)
    for (const start of [inOne, inOther]) {
      reply.array(2)
      reply.integer(start)
      reply.integer(start + length - 1)
    }
    if (options.withLength) reply.integer(length)
  }
  reply.bulk('len')
  reply.integer(common.length)
}

function optionsOf(args: Arguments): LcsOptions {
  const options = { length: false, indexes: false, withLength: false, lengthMin: 0 }
  for (let at = 3; at < args.count; at++) {
    const option = args.option(at)
    if (option === 'IDX') options.indexes = true
    else if (option === 'LEN') options.length = true
    else if (option === 'WITHMATCHLEN') options.withLength = true
    else if (option === 'MINMATCHLEN' && at + 1 < args.count) options.lengthMin = args.integer(++at)
    else throw syntaxError()
  }
  if (options.length && options.indexes) {
    throw new ReplyError('If you want both the length and indexes, please just use IDX.')
  }
  return options
}
