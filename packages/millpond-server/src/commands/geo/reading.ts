/** GEOPOS, GEOHASH and GEODIST: what is known of single members. */
import { syntaxError } from '../../engine/errors.ts'
import { distance, geohashText, type Place, placeOf } from '../../engine/geo/geo-hash.ts'
import type { Reply } from '../../engine/reply.ts'
import { SORTED_SET } from '../../engine/values/sorted-set.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { replyPlace, unitAt } from './places.ts'

const OF_EACH_MEMBER = {
  since: '3.2.0',
  group: 'geo',
  complexity: 'O(1) for each member',
  arity: -2,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key [member [member ...]]',
} as const

/** Where members are. */
export const geopos: Command = {
  ...OF_EACH_MEMBER,
  name: 'geopos',
  summary: 'Returns the longitude and latitude of members.',
  run: eachMember((place, reply) => {
    if (place) replyPlace(place, reply)
    else reply.nilArray()
  }),
}

/** Names of the cells in which members are. */
export const geohash: Command = {
  ...OF_EACH_MEMBER,
  name: 'geohash',
  summary: 'Returns members as geohash strings.',
  run: eachMember((place, reply) => {
    if (place) reply.bulk(geohashText(place))
    else reply.nil()
  }),
}

function eachMember(answer: (place: Place | undefined, reply: Reply) => void): Command['run'] {
  return (client, args, reply) => {
    const set = client.db.read(args.span(1), SORTED_SET)
    reply.array(args.count - 2)
    for (const member of args.texts(2)) {
      const score = set?.score(member)
      answer(score === undefined ? undefined : placeOf(score), reply)
    }
  }
}

/** How far two members are from each other. */
export const geodist: Command = {
  name: 'geodist',
  since: '3.2.0',
  group: 'geo',
  summary: 'Returns the distance between two members.',
  complexity: 'O(1)',
  arity: -4,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: 'key member1 member2 [M | KM | FT | MI]',
  run({ db }, args, reply) {
    if (args.count > 5) throw syntaxError()
    const unit = args.count === 5 ? unitAt(args, 4) : 1
    const set = db.read(args.span(1), SORTED_SET)
    const one = set?.score(args.text(2))
    const other = set?.score(args.text(3))
    if (one === undefined || other === undefined) reply.nil()
    else reply.bulk((distance(placeOf(one), placeOf(other)) / unit).toFixed(4))
  },
}
