import { dumpPayload } from '../../engine/rdb/payload.ts'
import type { Command } from '../command.ts'

/** What a key holds, as bytes that RESTORE understands. */
export const dump: Command = {
  name: 'dump',
  since: '2.6.0',
  group: 'generic',
  summary: 'Returns a serialized representation of the value stored at a key.',
  complexity: 'O(1) to find the key, and O(N*M) to write N elements of M bytes',
  arity: 2,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key',
  run({ db }, args, reply) {
    const found = db.peek(args.span(1))
    if (found === undefined) {
      reply.nil()
      return
    }
    const payload = dumpPayload(found.value ?? found.bytes!)
    reply.bytes(payload, 0, payload.length)
  },
}
