import { notFloat, ReplyError } from '../../engine/errors.ts'
import { LongDouble } from '../../engine/long-double.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { editHash, editOrNewHash } from './live-hash.ts'

/** Adds a floating-point number to a field that is one. */
export const hincrbyfloat: Command = {
  name: 'hincrbyfloat',
  since: '2.6.0',
  group: 'hash',
  summary: 'Adds a floating-point number to the one that a field of a hash holds, which is 0 where there is none.',
  complexity: 'O(1)',
  arity: 4,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['access', 'update']),
  syntax: 'key field increment',
  run(client, args, reply) {
    const amount = LongDouble.parse(args.text(3))
    if (amount === undefined) throw notFloat()
    if (!amount.finite) throw new ReplyError('value is NaN or Infinity')
    const field = args.text(2)
    const old = LongDouble.parse(editHash(client, args.span(1))?.get(field) ?? '0')
    if (old === undefined) throw new ReplyError('hash value is not a float')
    const sum = old.plus(amount)
    if (!sum.finite) throw new ReplyError('increment would produce NaN or Infinity')
    const text = String(sum)
    const hash = editOrNewHash(client, args.span(1))
    hash.set(field, text, true)
    const key = args.span(1).copy()
    client.logAs('HSET', key, field, text)
    const expiresAtMs = hash.expiresAtMs(field)
    if (expiresAtMs !== Infinity) client.logAs('HPEXPIREAT', key, String(expiresAtMs), 'FIELDS', '1', field)
    client.db.changed(args.span(1), 'hincrbyfloat', 'h')
    reply.bulk(text)
  },
}
