import { ReplyError } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { grow } from '../strings/change.ts'
import { bitOffset } from './bit-offset.ts'

const notBit = (): ReplyError => new ReplyError('bit is not an integer or out of range')

/** Where the byte is changed that the bit is in. */
const BYTE = new Uint8Array(1)

/** Sets or clears one bit of a string. */
export const setbit: Command = {
  name: 'setbit',
  since: '2.2.0',
  group: 'bitmap',
  summary: 'Sets or clears a bit of a string, which grows as needed, and returns what it was.',
  complexity: 'O(1)',
  arity: 4,
  flags: ['write', 'denyoom'],
  keys: oneKey('RW', ['access', 'update']),
  syntax: 'key offset value',
  run({ db, service }, args, reply) {
    const offset = bitOffset(service, args, 2)
    const bit = args.integer(3, notBit)
    if (bit !== 0 && bit !== 1) throw notBit()
    const key = args.span(1)
    const place = Math.floor(offset / 8)
    const mask = 0x80 >> (offset % 8)
    const inside = place < db.editLength(key)
    BYTE[0] = 0
    if (inside) db.readPart(key, place, 1, BYTE)
    const old = (BYTE[0] & mask) === 0 ? 0 : 1
    // A bit that stays as it is changes only how the string is kept.
    BYTE[0] = bit === 1 ? BYTE[0] | mask : BYTE[0] & ~mask
    if (!db.writePart(key, place, BYTE)) grow(db, key, place, BYTE)
    if (!inside || old !== bit) db.changed(key, 'setbit', '$')
    reply.integer(old)
  },
}
