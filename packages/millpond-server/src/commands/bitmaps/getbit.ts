import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { bitOffset } from './bit-offset.ts'

/** One bit of a string. */
export const getbit: Command = {
  name: 'getbit',
  since: '2.2.0',
  group: 'bitmap',
  summary: 'Returns a bit of a string; 0 behind its end.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['readonly', 'fast'],
  keys: oneKey('RO', ['access']),
  syntax: 'key offset',
  run({ db, service }, args, reply) {
    const offset = bitOffset(service, args, 2)
    const value = db.readString(args.span(1))
    const byte = Math.floor(offset / 8)
    if (value === undefined || byte >= value.length) reply.integer(0)
    else reply.integer((value.bytes[value.start + byte]! >> (7 - (offset % 8))) & 1)
  },
}
