import { syntaxError } from '../../engine/errors.ts'
import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'
import { countOf } from '../counts.ts'

/** Removes members by chance, and tells them. */
export const spop: Command = {
  name: 'spop',
  since: '1.0.0',
  group: 'set',
  summary: 'Removes members by chance, and tells them.',
  complexity: 'O(N) for N members removed',
  arity: -2,
  flags: ['write', 'fast'],
  keys: [{ first: 1, last: 1, access: 'RW', touches: ['access', 'delete'] }],
  syntax: 'key [count]',
  run(client, args, reply) {
    const { db, service } = client
    const key = args.span(1)
    if (args.count > 3) throw syntaxError()
    const count = args.count === 3 ? countOf(args, 2) : undefined
    const set = db.edit(key, SET)
    if (set === undefined || count === 0) {
      if (count === undefined) reply.nil()
      else reply.set(0)
      return
    }
    const isWhole = count !== undefined && count >= set.size
    const popped = isWhole ? [...set.members()] : set.randomMembers(count ?? 1, service.random)
    for (const member of popped) set.delete(member)
    if (isWhole) client.logAs('DEL', key.copy())
    else service.logs.replace(client, ['SREM', key.copy(), ...popped])
    db.changed(key, 'spop', 's')
    if (count !== undefined) reply.set(popped.length)
    for (const member of popped) reply.bulk(member)
  },
}
