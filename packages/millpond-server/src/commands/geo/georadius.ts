/** GEORADIUS and GEORADIUSBYMEMBER, and their forms that store nothing: the older names of GEOSEARCH. */
import type { Arguments } from '../../engine/arguments.ts'
import { syntaxError } from '../../engine/errors.ts'
import { SORTED_SET } from '../../engine/values/sorted-set.ts'
import type { Command, KeySpec } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { placeAt } from './places.ts'
import { answerSearch, GeoQuery } from './searching.ts'

/** Members around a place. */
export const georadius: Command = radiusCommand('georadius', 'Queries members around a place, and may store them.')
/** Members around a place, never stored. */
export const georadiusRo: Command = radiusCommand('georadius_ro', 'Returns members around a place.')
/** Members around another one. */
export const georadiusbymember: Command = radiusCommand(
  'georadiusbymember',
  'Queries members around another one, and may store them.',
)
/** Members around another one, never stored. */
export const georadiusbymemberRo: Command = radiusCommand('georadiusbymember_ro', 'Returns members around another one.')

function radiusCommand(name: string, summary: string): Command {
  const byMember = name.startsWith('georadiusbymember')
  const readOnly = name.endsWith('_ro')
  const first = byMember ? 3 : 4
  const center = byMember ? 'member' : 'longitude latitude'
  const stores = readOnly ? '' : ' [STORE key | STOREDIST key]'
  return {
    name,
    since: readOnly ? '3.2.10' : '3.2.0',
    group: 'geo',
    summary,
    complexity: 'O(N+log(M)) for N members in the cells around the circle, M inside of it',
    arity: byMember ? -5 : -6,
    flags: readOnly ? ['readonly'] : ['write', 'denyoom', 'movablekeys'],
    ...(readOnly ? { keys: oneKey('RO', ['access']) } : keysWithStores(first + 2)),
    syntax: `key ${center} radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]${stores}`,
    run(client, args, reply) {
      const query = new GeoQuery(client.db.read(args.span(1), SORTED_SET))
      if (!byMember) query.center = placeAt(args, 2)
      else query.centerOn(args.text(2))
      // Without the key there is no member, and Redis does not look at the radius either.
      if (!byMember || query.set) query.circle(args, first)
      readOptions(query, args, first + 2, readOnly)
      answerSearch(client, query, name, reply)
    },
  }
}

/** The key, and the one that is stored to: of several, only the last counts. */
function keysWithStores(from: number): Pick<Command, 'keys' | 'keysOf'> {
  const stores = ['store', 'storedist'].map(
    (keyword): KeySpec => ({ first: { keyword, from }, last: 0, access: 'OW', touches: ['update'] }),
  )
  return {
    keys: [...oneKey('RO', ['access']), ...stores],
    keysOf(args) {
      let stored: number[] = []
      for (let at = from; at + 1 < args.count; at++) if (isStore(args, at)) stored = [++at]
      return [1, ...stored]
    },
  }
}

function isStore(args: Arguments, at: number): boolean {
  return args.is(at, 'store') || args.is(at, 'storedist')
}

function readOptions(query: GeoQuery, args: Arguments, from: number, readOnly: boolean): void {
  for (let at = from; at < args.count; ) {
    const words = query.option(args, at)
    if (words > 0) at += words
    else if (!readOnly && isStore(args, at) && at + 1 < args.count) {
      query.storesDistance = args.is(at, 'storedist')
      query.store = args.span(at + 1)
      at += 2
    } else throw syntaxError()
  }
}
