/** FUNCTION DUMP and RESTORE: the texts of libraries as one payload, which Redis 7.0 reads too. */
import { ReplyError } from '../../engine/errors.ts'
import { ByteSink, writeText } from '../../engine/rdb/byte-sink.ts'
import { ByteSource } from '../../engine/rdb/byte-source.ts'
import { bodyOf, withFoot } from '../../engine/rdb/payload.ts'
import { RdbError } from '../../engine/rdb/rdb-error.ts'
import { RECORD, VERSION } from '../../engine/rdb/rdb-types.ts'
import { readText } from '../../engine/rdb/strings.ts'
import type { Command } from '../command.ts'
import type { RestorePolicy } from './function-libraries.ts'

export const dump: Command = {
  name: 'dump',
  since: '7.0.0',
  group: 'scripting',
  summary: 'Dumps all libraries into a serialized binary payload.',
  complexity: 'O(N) where N is the number of functions',
  arity: 2,
  flags: ['noscript'],
  run({ service }, _args, reply) {
    const sink = new ByteSink()
    for (const { text } of service.scripts.functions.all) {
      sink.byte(RECORD.FUNCTION)
      writeText(sink, text)
    }
    const payload = withFoot(sink, VERSION)
    reply.bytes(payload, 0, payload.length)
  },
}

export const restore: Command = {
  name: 'restore',
  since: '7.0.0',
  group: 'scripting',
  summary: 'Restores all libraries from a payload.',
  complexity: 'O(N) where N is the number of functions on the payload',
  arity: -3,
  flags: ['noscript', 'write', 'denyoom'],
  syntax: 'serialized-value [FLUSH | APPEND | REPLACE]',
  run({ service }, args, reply) {
    if (args.count > 4) {
      throw new ReplyError("unknown subcommand or wrong number of arguments for 'restore'. Try FUNCTION HELP.")
    }
    const policy = args.count === 4 ? args.text(3).toLowerCase() : 'append'
    if (!isPolicy(policy))
      throw new ReplyError('Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.')
    service.scripts.functions.restore(textsOf(args.span(2).copy()), policy)
    service.changes.count++
    reply.ok()
  },
}

function isPolicy(text: string): text is RestorePolicy {
  return text === 'append' || text === 'replace' || text === 'flush'
}

function textsOf(payload: Buffer): string[] {
  const source = new ByteSource(bodyOf(payload))
  const texts: string[] = []
  try {
    while (!source.done) {
      if (source.byte() !== RECORD.FUNCTION) throw new ReplyError('given type is not a function')
      texts.push(readText(source))
    }
  } catch (error) {
    if (error instanceof RdbError) throw new ReplyError('failed loading functions payload')
    throw error
  }
  return texts
}
