import { LIST } from '../../engine/values/list.ts'
import type { Command } from '../command.ts'
import { oneKey } from '../key-specs.ts'

const SHARED = {
  group: 'list',
  complexity: 'O(N) for N elements',
  arity: -3,
  flags: ['write', 'denyoom', 'fast'],
  keys: oneKey('RW', ['insert']),
  syntax: 'key element [element ...]',
} as const

/** Puts elements in front of a list. */
export const lpush: Command = {
  ...SHARED,
  name: 'lpush',
  since: '1.0.0',
  summary: 'Puts elements in front of a list, one after the other, and returns its length.',
  run({ db }, args, reply) {
    const key = args.span(1)
    const list = db.editOrNew(key, LIST)
    for (let at = 2; at < args.count; at++) list.pushHead(args.text(at))
    const { size } = list
    db.changed(key, 'lpush', 'l')
    reply.integer(size)
  },
}

/** Puts elements behind a list. */
export const rpush: Command = {
  ...SHARED,
  name: 'rpush',
  since: '1.0.0',
  summary: 'Puts elements behind a list, and returns its length.',
  run({ db }, args, reply) {
    const key = args.span(1)
    const list = db.editOrNew(key, LIST)
    for (let at = 2; at < args.count; at++) list.pushTail(args.text(at))
    const { size } = list
    db.changed(key, 'rpush', 'l')
    reply.integer(size)
  },
}

/** LPUSH, where there is a list. */
export const lpushx: Command = {
  ...SHARED,
  name: 'lpushx',
  since: '2.2.0',
  summary: 'Puts elements in front of a list if there is one, and returns its length.',
  run(client, args, reply) {
    if (client.db.edit(args.span(1), LIST) === undefined) reply.integer(0)
    else lpush.run(client, args, reply)
  },
}

/** RPUSH, where there is a list. */
export const rpushx: Command = {
  ...SHARED,
  name: 'rpushx',
  since: '2.2.0',
  summary: 'Puts elements behind a list if there is one, and returns its length.',
  run(client, args, reply) {
    if (client.db.edit(args.span(1), LIST) === undefined) reply.integer(0)
    else rpush.run(client, args, reply)
  },
}
