import { STREAM } from '../../engine/values/stream.ts'
import type { Command } from '../command.ts'
import { trimOptionsOf, withExactTrimming } from './trimming.ts'

/** Cuts a stream at its beginning, down to a length or to an id. */
export const xtrim: Command = {
  name: 'xtrim',
  since: '5.0.0',
  group: 'stream',
  summary: 'Cuts a stream at its beginning, down to a length or to an id.',
  complexity: 'O(N) for N entries that are cut off',
  arity: -4,
  flags: ['write'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['delete'] }],
  syntax: 'key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]',
  run(client, args, reply) {
    const { db, service } = client
    const key = args.span(1)
    const options = trimOptionsOf(args, db.limits, false)
    const stream = db.edit(key, STREAM)
    const removed = stream?.trim(options.trimming!) ?? 0
    if (removed > 0) {
      if (service.logs.log && options.trimming!.approximate) {
        service.logs.replace(client, withExactTrimming(args.texts(0), options, stream!))
      }
      db.changed(key, 'xtrim', 't')
    }
    reply.integer(removed)
  },
}
