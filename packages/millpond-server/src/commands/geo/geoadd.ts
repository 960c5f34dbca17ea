import { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import { encode } from '../../engine/geo/geo-hash.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { addScores } from '../sorted-sets/adding.ts'
import { placeAt } from './places.ts'

/** Adds places to a sorted set, whose scores are their cells. */
export const geoadd: Command = {
  name: 'geoadd',
  since: '3.2.0',
  group: 'geo',
  summary: 'Adds one or more members with their places, as a sorted set whose scores are cells of the earth.',
  complexity: 'O(log(N)) for each member added, where N is the number of members',
  arity: -5,
  flags: ['write', 'denyoom'],
  keys: oneKey('RW', ['update']),
  syntax: 'key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]',
  run(client, args, reply) {
    let first = 2
    while (first < args.count && (args.is(first, 'nx') || args.is(first, 'xx') || args.is(first, 'ch'))) first++
    const options = args.texts(2, first)
    const names = options.map((option) => option.toUpperCase())
    if ((args.count - first) % 3 !== 0 || first === args.count) throw syntaxError()
    if (names.includes('NX') && names.includes('XX')) throw syntaxError()
    const words = ['zadd', args.text(1), ...options]
    for (let at = first; at < args.count; at += 3) words.push(String(encode(placeAt(args, at))), args.text(at + 2))
    addScores(client, Arguments.of(words), reply, false)
  },
}
