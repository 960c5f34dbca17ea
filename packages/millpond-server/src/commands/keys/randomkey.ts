import type { Command } from '../command.ts'

/** A key by chance. */
export const randomkey: Command = {
  name: 'randomkey',
  since: '1.0.0',
  group: 'generic',
  summary: 'Returns a key by chance.',
  complexity: 'O(1)',
  arity: 1,
  flags: ['readonly'],
  run({ db, service }, _args, reply) {
    const key = db.someKey(service.random())
    if (key === undefined) reply.nil()
    else reply.bytes(key, 0, key.length)
  },
}
