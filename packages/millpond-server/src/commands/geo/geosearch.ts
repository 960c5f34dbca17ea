import { SORTED_SET } from '../../engine/values/sorted-set.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { answerSearch, GeoQuery, readSearch } from './searching.ts'

const SYNTAX =
  '<FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]]'

/** Finds members within a circle or a box. */
export const geosearch: Command = {
  name: 'geosearch',
  since: '6.2.0',
  group: 'geo',
  summary: 'Returns members inside a circle or a box.',
  complexity: 'O(N+log(M)) for N members in the cells around the shape, M inside of it',
  arity: -7,
  flags: ['readonly'],
  keys: oneKey('RO', ['access']),
  syntax: `key ${SYNTAX} [WITHCOORD] [WITHDIST] [WITHHASH]`,
  run(client, args, reply) {
    const query = new GeoQuery(client.db.read(args.span(1), SORTED_SET))
    readSearch(query, args, 2, 'geosearch')
    answerSearch(client, query, 'geosearch', reply)
  },
}

/** Stores the members within a circle or a box. */
export const geosearchstore: Command = {
  name: 'geosearchstore',
  since: '6.2.0',
  group: 'geo',
  summary: 'Stores members inside a circle or a box.',
  complexity: 'O(N+log(M)) for N members in the cells around the shape, M inside of it',
  arity: -8,
  flags: ['write', 'denyoom'],
  keys: [...oneKey('OW', ['update']), ...oneKey('RO', ['access'], 2)],
  syntax: `destination source ${SYNTAX} [STOREDIST]`,
  run(client, args, reply) {
    const query = new GeoQuery(client.db.edit(args.span(2), SORTED_SET))
    query.store = args.span(1)
    readSearch(query, args, 3, 'geosearchstore')
    answerSearch(client, query, 'geosearchstore', reply)
  },
}
