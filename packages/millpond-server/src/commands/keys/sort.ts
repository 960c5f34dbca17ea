import type { Arguments } from '../../engine/arguments.ts'
import { wrongType } from '../../engine/errors.ts'
import type { Keyspace } from '../../engine/keyspace.ts'
import { LIST } from '../../engine/values/list.ts'
import { SET } from '../../engine/values/set.ts'
import { SORTED_SET, type SortedSet } from '../../engine/values/sorted-set.ts'
import type { Client } from '../client.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'
import { type SortOptions, sortOptionsOf, storeWords } from './sort-options.ts'
import { limited, sorted } from './sort-order.ts'
import { valueFor } from './sort-pattern.ts'

/** Elements in another order. */
export const sort: Command = {
  name: 'sort',
  since: '1.0.0',
  group: 'generic',
  summary: 'Sorts the elements of a list, a set or a sorted set, and returns or stores them, or what belongs to them.',
  complexity: 'O(N+M*log(N)) for N elements, of which M are returned',
  arity: -2,
  flags: ['write', 'denyoom', 'movablekeys'],
  categories: ['dangerous'],
  keys: [
    { first: 1, last: 1, access: 'RO', touches: ['access'] },
    { first: { keyword: 'STORE', from: 2 }, last: 0, access: 'OW', touches: ['update'] },
  ],
  keysOf: (args) => [1, ...storeWords(args).slice(-1)],
  syntax:
    'key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] [STORE destination]',
  run(client, args, reply) {
    const options = sortOptionsOf(client, args, true)
    const found = resultOf(client, args, options)
    if (options.storeAt > 0) {
      store(client.db, args, options.storeAt, found)
      reply.integer(found.length)
      return
    }
    reply.array(found.length)
    for (const text of found) {
      if (text === undefined) reply.nil()
      else reply.bulk(text)
    }
  },
}

/** SORT without STORE. */
export const sortRo: Command = {
  name: 'sort_ro',
  since: '7.0.0',
  group: 'generic',
  summary: 'Sorts the elements of a list, a set or a sorted set, and returns them, or what belongs to them.',
  complexity: 'O(N+M*log(N)) for N elements, of which M are returned',
  arity: -2,
  flags: ['readonly', 'movablekeys'],
  categories: ['dangerous'],
  keys: oneKey('RO', ['access']),
  keysOf: () => [1],
  syntax: 'key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]',
  run(client, args, reply) {
    const found = resultOf(client, args, sortOptionsOf(client, args, false))
    reply.array(found.length)
    for (const text of found) {
      if (text === undefined) reply.nil()
      else reply.bulk(text)
    }
  },
}

/** What is told or stored: the elements, or what GET makes of each. */
function resultOf(client: Client, args: Arguments, options: SortOptions): (string | undefined)[] {
  const { texts, isSet } = elementsOf(client.db, args)
  const picked = limited(sorted(client, texts, isSet, options), options)
  if (options.get.length === 0) return picked
  return picked.flatMap((text) => options.get.map((pattern) => valueFor(client, pattern, text)))
}

function elementsOf(db: Keyspace, args: Arguments): { texts: string[]; isSet: boolean } {
  const key = args.span(1)
  const type = db.typeOf(key)
  if (type === 'list') return { texts: [...db.read(key, LIST)!.forward()], isSet: false }
  if (type === 'set') return { texts: [...db.read(key, SET)!.members()], isSet: true }
  if (type === 'zset') return { texts: ranked(db.read(key, SORTED_SET)!), isSet: false }
  if (type !== undefined) throw wrongType()
  db.misses++
  return { texts: [], isSet: false }
}

function ranked(set: SortedSet): string[] {
  const texts: string[] = []
  set.visit(0, set.size, false, (member) => void texts.push(member))
  return texts
}

function store(db: Keyspace, args: Arguments, at: number, found: readonly (string | undefined)[]): void {
  const target = args.span(at)
  if (found.length > 0) {
    const list = LIST.create(db.limits)
    for (const text of found) list.pushTail(text ?? '')
    db.put(target, list)
    db.changed(target, 'sortstore', 'l')
  } else if (db.delete(target)) db.changed(target, 'del', 'g')
}
