import { notFloat, ReplyError } from '../../engine/errors.ts'
import { LongDouble } from '../../engine/long-double.ts'
import { STRING_FORM } from '../../engine/value.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

/** Adds a floating-point number to a string that is one. */
export const incrbyfloat: Command = {
  name: 'incrbyfloat',
  since: '2.6.0',
  group: 'string',
  summary: 'Adds a floating-point number to the one under a key, which is 0 where there is none.',
  complexity: 'O(1)',
  arity: 3,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['access', 'update']),
  syntax: 'key increment',
  run(client, args, reply) {
    const { db } = client
    const key = args.span(1)
    const view = db.editString(key)
    const expiresAtMs = view?.expiresAtMs
    const old = LongDouble.parse(view === undefined ? '0' : Buffer.from(view.copy()).toString('latin1'))
    const amount = LongDouble.parse(args.text(2))
    if (old === undefined || amount === undefined) throw notFloat()
    const sum = old.plus(amount)
    if (!sum.finite) throw new ReplyError('increment would produce NaN or Infinity')
    const text = String(sum)
    const digits = Buffer.from(text)
    db.setString(key, digits, 0, digits.length, expiresAtMs, STRING_FORM.TEXT)
    db.changed(key, 'incrbyfloat', '$')
    client.logAs('SET', key.copy(), digits, 'KEEPTTL')
    reply.bulk(text)
  },
}
