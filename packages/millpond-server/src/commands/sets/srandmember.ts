import { syntaxError } from '../../engine/errors.ts'
import { SET } from '../../engine/values/set.ts'
import type { Command } from '../command.ts'
import { drawsOf } from '../counts.ts'

/** Tells members by chance. */
export const srandmember: Command = {
  name: 'srandmember',
  since: '1.0.0',
  group: 'set',
  summary: 'Tells members by chance.',
  complexity: 'O(N) for N members told',
  arity: -2,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key [count]',
  run(client, args, reply) {
    const { db, service } = client
    if (args.count > 3) throw syntaxError()
    const count = args.count === 3 ? drawsOf(client, args, 2) : undefined
    const set = db.read(args.span(1), SET)
    if (count === undefined) {
      if (set === undefined) reply.nil()
      else reply.bulk(set.randomMember(service.random))
    } else if (set === undefined) reply.array(0)
    else if (count < 0) {
      reply.array(-count)
      for (let left = -count; left > 0; left--) reply.bulk(set.randomMember(service.random))
    } else {
      const members = count >= set.size ? [...set.members()] : set.randomMembers(count, service.random)
      reply.array(members.length)
      for (const member of members) reply.bulk(member)
    }
  },
}
