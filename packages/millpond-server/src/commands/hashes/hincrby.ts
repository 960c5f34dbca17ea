import { parseInt64 } from '../../engine/arguments.ts'
import { ReplyError, wouldOverflow } from '../../engine/errors.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { editHash, editOrNewHash } from './live-hash.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** Adds a whole number to a field that is one. */
export const hincrby: Command = {
  name: 'hincrby',
  since: '2.0.0',
  group: 'hash',
  summary: 'Adds a whole number to the one that a field of a hash holds, which is 0 where there is none.',
  complexity: 'O(1)',
  arity: 4,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['access', 'update']),
  syntax: 'key field increment',
  run(client, args, reply) {
    const amount = args.int64(3)
    const field = args.text(2)
    const old = parseInt64(editHash(client, args.span(1))?.get(field) ?? '0')
    if (old === undefined) throw new ReplyError('hash value is not an integer')
    const sum = old + amount
    if (sum > INT64_MAX || sum < INT64_MIN) throw wouldOverflow()
    editOrNewHash(client, args.span(1)).set(field, String(sum), true)
    client.db.changed(args.span(1), 'hincrby', 'h')
    reply.integer(sum)
  },
}
