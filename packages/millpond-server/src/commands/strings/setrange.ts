import { ReplyError } from '../../engine/errors.ts'
import { STRING_FORM } from '../../engine/value.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { checkLength, lengthened } from './change.ts'

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
    const value = db.editString(key)
    if (args.length(3) === 0) {
      reply.integer(value?.length ?? 0)
      return
    }
    checkLength(service, offset + args.length(3))
    const expiresAtMs = value?.expiresAtMs
    const bytes = lengthened(value, offset + args.length(3))
    args.bytes.copy(bytes, offset, args.start(3), args.end(3))
    db.setString(key, bytes, 0, bytes.length, expiresAtMs, STRING_FORM.RAW)
    db.changed(key, 'setrange', '$')
    reply.integer(bytes.length)
  },
}
