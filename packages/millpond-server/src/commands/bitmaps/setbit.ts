import { ReplyError } from '../../engine/errors.ts'
import { STRING_FORM } from '../../engine/value.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { lengthened } from '../strings/change.ts'
import { bitOffset } from './bit-offset.ts'

const notBit = (): ReplyError => new ReplyError('bit is not an integer or out of range')

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
    const value = db.editString(key)
    const place = Math.floor(offset / 8)
    const mask = 0x80 >> (offset % 8)
    const inside = value !== undefined && place < value.length
    const old = inside && (value.bytes[value.start + place]! & mask) !== 0 ? 1 : 0
    if (!inside || old !== bit) {
      const expiresAtMs = value?.expiresAtMs
      const bytes = lengthened(value, place + 1)
      bytes[place] = bit === 1 ? bytes[place]! | mask : bytes[place]! & ~mask
      db.setString(key, bytes, 0, bytes.length, expiresAtMs, STRING_FORM.RAW)
      db.changed(key, 'setbit', '$')
    }
    reply.integer(old)
  },
}
