import { ReplyError, syntaxError } from '../../engine/errors.ts'
import { SORTED_SET, type SortedSet } from '../../engine/values/sorted-set.ts'
import type { Command } from '../command.ts'
import { drawsOf } from '../counts.ts'
import { entryReply } from './range-query.ts'

/** Tells members of a sorted set by chance, with their scores if asked. */
export const zrandmember: Command = {
  name: 'zrandmember',
  since: '6.2.0',
  group: 'sorted_set',
  summary: 'Tells members of a sorted set by chance, with their scores if asked.',
  complexity: 'O(N) for N members told',
  arity: -2,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, access: 'RO', touches: ['access'] }],
  syntax: 'key [count [WITHSCORES]]',
  run(client, args, reply) {
    const { db, service } = client
    const count = args.count >= 3 ? drawsOf(client, args, 2) : undefined
    const withScores = args.count === 4 && args.is(3, 'withscores')
    if (args.count > 3 && !withScores) throw syntaxError()
    if (withScores && Math.abs(count!) > DRAWS_MAX) throw new ReplyError('value is out of range')
    const set = db.read(args.span(1), SORTED_SET)
    if (set === undefined) {
      if (count === undefined) reply.nil()
      else reply.array(0)
      return
    }
    if (count === undefined) {
      reply.bulk(set.randomMember(service.random))
      return
    }
    const told = count < 0 ? -count : Math.min(count, set.size)
    const replyEntry = withScores ? entryReply(client, reply, told) : (member: string) => reply.bulk(member)
    if (!withScores) reply.array(told)
    for (const member of drawn(set, count, service.random)) replyEntry(member, set.score(member)!)
  },
}

/** With scores, twice as many words must still be a number of 64 bits. */
const DRAWS_MAX = 2 ** 62

function* drawn(set: SortedSet, count: number, random: () => number): Iterable<string> {
  if (count < 0) for (let left = -count; left > 0; left--) yield set.randomMember(random)
  else if (count >= set.size) yield* set.members()
  else yield* set.randomMembers(count, random)
}
