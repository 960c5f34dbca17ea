import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { bitOffset } from './bit-offset.ts'

/** Where the byte is put that the bit is in. */
const BYTE = new Uint8Array(1)

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
    const key = args.span(1)
    const place = Math.floor(offset / 8)
    if (place >= db.readLength(key)) {
      reply.integer(0)
      return
    }
    db.readPart(key, place, 1, BYTE)
    reply.integer((BYTE[0]! >> (7 - (offset % 8))) & 1)
  },
}
