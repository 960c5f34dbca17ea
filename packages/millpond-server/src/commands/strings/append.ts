import { STRING_FORM } from '../../engine/value.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { checkLength, lengthened } from './change.ts'

/** Puts bytes behind those of a string. */
export const append: Command = {
  name: 'append',
  since: '2.0.0',
  group: 'string',
  summary: 'Puts bytes behind those of a string, or makes one of them, and returns the new length.',
  complexity: 'O(N) for N bytes of the string that results',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['insert']),
  syntax: 'key value',
  run({ db, service }, args, reply) {
    const key = args.span(1)
    const value = db.editString(key)
    const had = value?.length ?? 0
    const length = had + args.length(2)
    if (value === undefined) db.setString(key, args.bytes, args.start(2), args.end(2))
    else {
      checkLength(service, length)
      const { expiresAtMs } = value
      const bytes = lengthened(value, length)
      args.bytes.copy(bytes, had, args.start(2), args.end(2))
      db.setString(key, bytes, 0, length, expiresAtMs, STRING_FORM.RAW)
    }
    db.changed(key, 'append', '$')
    reply.integer(length)
  },
}
