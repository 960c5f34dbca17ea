import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { checkLength, grow } from './change.ts'

/** Writes over a part of a string. */
export const setrange: Command = {
  name: 'setrange',
  since: '2.2.0',
  group: 'string',
  summary: 'Writes over a part of a string, with zeros in front where it is too short, and returns its length.',
  complexity: 'O(N) for N bytes of the string that results',
  arity: 4,
  flags: ['write', 'denyoom'],
  keys: oneKey('RW', ['update']),
  syntax: 'key offset value',
  run({ db, service }, args, reply) {
    const offset = args.integer(2)
    if (offset < 0) throw new ReplyError('offset is out of range')
    const key = args.span(1)
    const part = args.bytes.subarray(args.start(3), args.end(3))
    const had = Math.max(0, db.editLength(key))
    if (part.length === 0) {
      reply.integer(had)
      return
    }
    const length = Math.max(had, offset + part.length)
    checkLength(service, offset + part.length)
    if (!db.writePart(key, offset, part)) grow(db, key, offset, part)
    db.changed(key, 'setrange', '$')
    reply.integer(length)
  },
}
