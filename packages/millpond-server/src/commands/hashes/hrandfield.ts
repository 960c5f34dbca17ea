import { outOfRange, syntaxError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Hash } from '../../engine/values/hash.ts'
import { distinctPlaces, randomPlace } from '../../engine/values/sample.ts'
import type { Command } from '../command.ts'
import { drawsOf } from '../counts.ts'
import { oneKey } from '../key-specs.ts'
import { readHash } from './live-hash.ts'

const LONG_MAX = 2 ** 63

/** Fields by chance. */
export const hrandfield: Command = {
  name: 'hrandfield',
  since: '6.2.0',
  group: 'hash',
  summary: 'Returns fields of a hash by chance: different ones, or, with a count below 0, any.',
  complexity: 'O(N) for N fields that are returned',
  arity: -2,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key [count [WITHVALUES]]',
  run(client, args, reply) {
    const { random } = client.service
    const count = args.count > 2 ? drawsOf(client, args, 2) : undefined
    if (args.count > 4 || (args.count === 4 && !args.is(3, 'withvalues'))) throw syntaxError()
    const withValues = args.count === 4
    if (withValues && Math.abs(count!) > LONG_MAX / 2) throw outOfRange()
    const hash = readHash(client, args.span(1))
    if (count === undefined) {
      if (hash === undefined) reply.nil()
      else reply.bulk(hash.fieldAt(randomPlace(hash.size, random)))
      return
    }
    const nested = client.protocol === 3
    const fields = hash === undefined ? [] : drawn(hash, count, random)
    reply.array(withValues && !nested ? fields.length * 2 : fields.length)
    for (const field of fields) {
      if (withValues) replyPair(reply, nested, field, hash!.get(field)!)
      else reply.bulk(field)
    }
  },
}

function drawn(hash: Hash, count: number, random: () => number): string[] {
  if (count >= hash.size) return [...hash.fields()]
  if (count >= 0) return Array.from(distinctPlaces(hash.size, count, random), (place) => hash.fieldAt(place))
  return Array.from({ length: -count }, () => hash.fieldAt(randomPlace(hash.size, random)))
}

function replyPair(reply: Reply, nested: boolean, field: string, value: string): void {
  if (nested) reply.array(2)
  reply.bulk(field)
  reply.bulk(value)
}
